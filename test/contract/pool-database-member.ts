import { ServerCredentials } from '@grpc/grpc-js';
import { type Bytes, bytes } from '../../base/units.ts';
import { systemClock } from '../../consensus/adapters/clock.ts';
import { type EtcdServer, serveEtcd } from '../../consensus/adapters/etcd/server.ts';
import { startAlone } from '../../consensus/adapters/memory/alone.ts';
import { Store } from '../../consensus/kv/store.ts';
import type { Clock } from '../../consensus/ports.ts';

/** What a test may choose. */
export interface MemberInMemory {
  readonly quota?: Bytes;
  readonly clock?: Clock;
}

/** The built-in pool database as one member in this process, which keeps its log in memory. */
export async function startMemberInMemory({
  quota = bytes(2 ** 30),
  clock = systemClock,
}: MemberInMemory = {}): Promise<EtcdServer & { readonly store: Store }> {
  const store = new Store();
  const replica = await startAlone(store);
  const served = await serveEtcd({
    store,
    replica,
    clusterId: 1n,
    peerScheme: 'http',
    quota,
    versionOf: () => null,
    clock,
    listen: '127.0.0.1:0',
    credentials: ServerCredentials.createInsecure(),
    name: 'alone',
    advertise: (bound) => `http://${bound}`,
    retainRevisions: 0,
  });
  if (!served.ok) throw new Error(served.error);
  const { address, close } = served.value;
  return {
    store,
    address,
    close: async () => {
      await close();
      await replica.stop();
    },
  };
}
