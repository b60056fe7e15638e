import type { Watch } from '../../../proto/gen/etcdserverpb.ts';
import type { Clock } from '../../ports.ts';
import type { GrpcFailure } from './failures.ts';
import type { LeaderWatch } from './leader-watch.ts';
import type { LeanHandlers } from './lean-service.ts';
import type { EtcdMember } from './member.ts';
import { watchBounds } from './watch-bounds.ts';
import { type WatchCall, WatchStream } from './watch-stream.ts';

/** etcd's Watch service, and what stops the clock that it needs. */
export interface WatchService {
  /** The handlers of the calls of one client. */
  handlers(client: EtcdMember): LeanHandlers<Watch>;
  stop(): void;
}

/** Serves watches, each stream by a `WatchStream` of its own. */
export function watchService(member: EtcdMember, clock: Clock, leader: LeaderWatch): WatchService {
  const streams = new Set<WatchStream>();
  const mayOpen = () => member.store.watches.size < watchBounds.perMember;
  const watch = (call: WatchCall, client: EtcdMember) => {
    const stream = new WatchStream(call, client, mayOpen);
    const finish = (failure: GrpcFailure | null) => {
      leave();
      streams.delete(stream);
      stream.finish(failure);
    };
    const leave = leader.join(call.metadata, finish);
    streams.add(stream);
    call.on('data', (request) => stream.receive(request));
    call.on('end', () => finish(null));
    call.on('cancelled', () => finish(null));
    call.on('error', () => finish(null));
  };
  const stop = clock.every(watchBounds.progressInterval, () => {
    for (const stream of streams) stream.notifyProgress();
  });
  return { handlers: (client) => ({ watch: (call) => watch(call, client) }), stop };
}
