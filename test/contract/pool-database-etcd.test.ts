import test from 'ava';
import { hasEtcd, startEtcd } from './etcd.ts';
import { poolDatabaseContract } from './pool-database.ts';

if (hasEtcd)
  poolDatabaseContract('etcd', async () => {
    const cluster = await startEtcd('etcd', 1);
    return {
      endpoints: cluster.members.map(({ endpoint }) => endpoint),
      close: () => cluster.close(),
    };
  });
else
  test('etcd is not installed: its run of the contract is skipped', (t) => {
    t.false(hasEtcd);
  });
