import { parentPort, workerData } from 'node:worker_threads';
import { credentials } from '@grpc/grpc-js';
import { connect } from '../proto/client.ts';
import { Watch, type WatchResponse } from '../proto/gen/etcdserverpb.ts';

/** What the thread of the watchers is told. */
export interface WatchersWanted {
  readonly endpoints: readonly string[];
  readonly keys: readonly string[];
  /** Connections that share the watches, one stream each. */
  readonly streams: number;
}

/** What it says: that all watches are open, or how many events there were when it is asked. */
export type WatchersSay =
  | { readonly kind: 'open' }
  | { readonly kind: 'events'; readonly count: number };

/** Watches each key for itself, in a thread of its own: who writes should not wait for who watches. */
function watch({ endpoints, keys, streams }: WatchersWanted): void {
  let events = 0;
  let open = 0;
  const say = (what: WatchersSay) => parentPort?.postMessage(what);
  for (let stream = 0; stream < streams; stream += 1) {
    const endpoint = endpoints[stream % endpoints.length] ?? '';
    const call = connect(endpoint, credentials.createInsecure()).client(Watch).watch();
    call.on('data', (response: WatchResponse) => {
      events += response.events.length;
      if (!response.created) return;
      open += 1;
      if (open === keys.length) say({ kind: 'open' });
    });
    call.on('error', (error: Error) => {
      throw error;
    });
    for (let at = stream; at < keys.length; at += streams)
      call.write({ createRequest: { key: Buffer.from(keys[at] ?? '') } });
  }
  parentPort?.on('message', () => say({ kind: 'events', count: events }));
}

watch(workerData);
