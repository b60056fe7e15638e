import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { KV } from '../../proto/gen/etcdserverpb.ts';
import { databaseContract } from '../../test/contract/database.ts';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../test/contract/etcd.ts';
import type { PoolDatabase, Revision } from '../database.ts';
import { put, writing } from '../transaction.ts';
import { etcdDatabase } from './database.ts';

for (const kind of ['etcd', 'consensus'] as const) {
  if (kind === 'etcd' && !hasEtcd) {
    test.skip('etcd: this machine has none (Debian: etcd-server)', () => {});
    continue;
  }

  /** One member for the contract, which needs no fail-over; its tests use keys of their own. */
  let shared: Promise<EtcdCluster> | null = null;

  test.after.always(async () => (await shared)?.close());

  databaseContract(kind, async () => {
    shared ??= startEtcd(kind, 1);
    const endpoints = (await shared).members.map((member) => member.endpoint);
    return {
      open: () => etcdDatabase({ endpoints }),
      compact: (revision) => compact(endpoints[0] ?? '', revision),
      wait: (seconds) => delay(seconds * 1000),
      close: async () => {},
    };
  });

  test.serial(
    `${kind}: a watch goes on where it was while members are killed one after the other`,
    async (t) => {
      const cluster = await startEtcd(kind, 3);
      const database = etcdDatabase({
        endpoints: cluster.members.map((member) => member.endpoint),
      });
      const end = new AbortController();
      const start = await write(database, '0');
      const values: (string | undefined)[] = [];
      const all = Promise.withResolvers<void>();
      const watching = (async () => {
        const request = { prefixes: ['/failover/'], after: start, signal: end.signal };
        for await (const batch of database.watch(request)) {
          if (batch.kind === 'failed') throw new Error(batch.failure.message);
          if (batch.kind !== 'changes') continue;
          for (const change of batch.changes)
            values.push(change.kind === 'put' ? change.entry.value : undefined);
          if (values.includes('59')) all.resolve();
        }
      })();
      for (let n = 1; n < 60; n += 1) {
        const member = cluster.members[Math.floor(n / 20)];
        if (n % 20 === 5) await member?.kill();
        if (n % 20 === 15) await member?.restart();
        await write(database, String(n));
      }
      await all.promise;
      end.abort();
      await watching;
      const distinct = values.filter((value, index) => value !== values[index - 1]);
      t.deepEqual(
        distinct,
        Array.from({ length: 59 }, (_, index) => String(index + 1)),
      );
      database.close();
      await cluster.close();
    },
  );
}

test('a database that nobody serves fails with DATABASE_UNAVAILABLE, and the watch waits', async (t) => {
  const database = etcdDatabase({ endpoints: ['127.0.0.1:1', '127.0.0.1:2'] });
  const read = await database.get('/x');
  t.like(read, { ok: false, error: { reason: 'DATABASE_UNAVAILABLE' } });
  const end = new AbortController();
  const batches = database.watch({ prefixes: ['/'], after: 1 as Revision, signal: end.signal });
  setTimeout(() => end.abort(), 300);
  for await (const batch of batches) t.fail(batch.kind);
  database.close();
});

/** Writes until it is sure: the same value may be written twice where an answer was lost. */
async function write(database: PoolDatabase, value: string): Promise<Revision> {
  for (;;) {
    const outcome = await database.transact(writing(put('/failover/n', value)));
    if (outcome.ok) return outcome.value.revision;
  }
}

async function compact(endpoint: string, revision: Revision): Promise<void> {
  const connection = connect(endpoint, credentials.createInsecure());
  const request = { revision: BigInt(revision), physical: true };
  const done = await connection.client(KV).compact(request, { timeout: milliseconds(20_000) });
  connection.close();
  if (!done.ok) throw new Error(done.error.details);
}
