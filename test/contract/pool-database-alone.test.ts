import { ServerCredentials } from '@grpc/grpc-js';
import { bytes } from '../../base/units.ts';
import { systemClock } from '../../consensus/adapters/clock.ts';
import { serveEtcd } from '../../consensus/adapters/etcd/server.ts';
import { startAlone } from '../../consensus/adapters/memory/alone.ts';
import { Store } from '../../consensus/kv/store.ts';
import { poolDatabaseContract } from './pool-database.ts';

poolDatabaseContract('one member in memory', async () => {
  const store = new Store();
  const replica = await startAlone(store);
  const { member } = replica.status();
  const served = await serveEtcd({
    store,
    replica,
    clusterId: 1n,
    members: [{ id: member, name: 'alone', peerUrls: ['http://127.0.0.1:2380'] }],
    quota: bytes(2 ** 30),
    clock: systemClock,
    listen: '127.0.0.1:0',
    credentials: ServerCredentials.createInsecure(),
    name: 'alone',
    advertise: (bound) => `http://${bound}`,
    retainRevisions: 0,
  });
  if (!served.ok) throw new Error(served.error);
  return {
    endpoints: [served.value.address],
    close: async () => {
      await served.value.close();
      await replica.stop();
    },
  };
});
