import test from 'ava';
import type { Case } from './pool-database-case.ts';
import { PoolDatabaseClient } from './pool-database-client.ts';
import { poolDatabaseKvContract } from './pool-database-kv.ts';
import { poolDatabaseLeaseContract } from './pool-database-lease.ts';
import { poolDatabaseMaintenanceContract } from './pool-database-maintenance.ts';
import { poolDatabaseTxnContract } from './pool-database-txn.ts';
import { poolDatabaseWatchStreamContract } from './pool-database-watch-streams.ts';
import { poolDatabaseWatchContract } from './pool-database-watching.ts';

/** A running pool database of one or more members. */
export interface PoolDatabaseEngine {
  /** HOST:PORT of each member's client port. */
  readonly endpoints: readonly string[];
  close(): Promise<void>;
}

/**
 * What every engine of the pool database does, as its clients see it: the built-in one and etcd
 * itself pass the same tests. They run one after the other, and share the engine.
 */
export function poolDatabaseContract(name: string, start: () => Promise<PoolDatabaseEngine>): void {
  let engine: PoolDatabaseEngine | null = null;
  let clients: readonly PoolDatabaseClient[] = [];
  let count = 0;
  test.before(`${name}: starts`, async (t) => {
    t.timeout(60_000);
    engine = await start();
    clients = engine.endpoints.map((endpoint) => new PoolDatabaseClient(endpoint));
  });
  test.after.always(`${name}: closes`, async () => {
    for (const client of clients) client.close();
    await engine?.close();
  });
  const add: Case = (title, body) => {
    test.serial(`${name}: ${title}`, async (t) => {
      t.timeout(60_000);
      count += 1;
      // Each test talks to another member than the one before: what holds, holds on any of them.
      const db = clients[count % clients.length];
      if (db === undefined) throw new Error('the engine has no members');
      await body(t, { clients, db, prefix: `/contract/${count}/` });
    });
  };
  poolDatabaseKvContract(add);
  poolDatabaseTxnContract(add);
  poolDatabaseWatchContract(add);
  poolDatabaseWatchStreamContract(add);
  poolDatabaseLeaseContract(add);
  poolDatabaseMaintenanceContract(add);
}
