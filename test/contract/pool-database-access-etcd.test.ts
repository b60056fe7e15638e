import test from 'ava';
import { hasEtcd } from './etcd.ts';
import { poolDatabaseAccessContract } from './pool-database-access.ts';

if (hasEtcd) poolDatabaseAccessContract('etcd');
else
  test('etcd is not installed: its run of the contract of rights is skipped', (t) => {
    t.false(hasEtcd);
  });
