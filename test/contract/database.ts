import anyTest, { type ExecutionContext } from 'ava';
import { present } from '../../base/assert.ts';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type {
  Change,
  PoolDatabase,
  Revision,
  Transaction,
  WatchBatch,
} from '../../pool/database.ts';
import type { Failure } from '../../pool/failure.ts';
import { keyOf, snapshot } from '../../pool/follow.ts';
import { absent, exists, put, remove, unchanged, writing } from '../../pool/transaction.ts';

/** A database to test, and how to do to it what its port does not do. */
export interface DatabaseUnderTest {
  /** Opens a client. */
  open(): PoolDatabase;
  /** Forgets the history before a revision. */
  compact(revision: Revision): Promise<void>;
  /** Lets time pass for its leases. */
  wait(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * What every implementation of the port `PoolDatabase` promises. One test after the other: they may
 * share a database, whose history one of them compacts.
 */
export function databaseContract(
  name: string,
  start: (t: ExecutionContext) => Promise<DatabaseUnderTest>,
): void {
  let scope = 0;
  const test = (
    title: string,
    body: (
      t: ExecutionContext,
      database: PoolDatabase,
      root: string,
      under: DatabaseUnderTest,
    ) => Promise<void>,
  ) =>
    anyTest.serial(`${name}: ${title}`, async (t) => {
      const under = await start(t);
      const database = under.open();
      scope += 1;
      try {
        await body(t, database, `/contract/${process.pid}-${scope}/`, under);
      } finally {
        database.close();
        await under.close();
      }
    });

  test('what was put is read back, with the revisions that made and last wrote it', async (t, db, root) => {
    t.is(value(await db.get(`${root}a`)), null);
    const first = await committed(db, writing(put(`${root}a`, 'grün')));
    const second = await committed(db, writing(put(`${root}a`, '2'), put(`${root}b`, '')));
    t.true(second > first);
    t.deepEqual(value(await db.get(`${root}a`)), {
      key: `${root}a`,
      value: '2',
      createRevision: first,
      modRevision: second,
      lease: null,
    });
    t.is(value(await db.get(`${root}b`))?.value, '');
  });

  test('a transaction happens if every comparison holds, and not at all otherwise', async (t, db, root) => {
    const a = `${root}a`;
    const b = `${root}b`;
    await committed(db, { comparisons: [absent(a), absent(b)], writes: [put(a, '1')] });
    const entry = present(value(await db.get(a)), 'a was put');
    const refused: Transaction[] = [
      { comparisons: [absent(a)], writes: [put(b, 'x')] },
      { comparisons: [exists(b)], writes: [put(b, 'x')] },
      { comparisons: [exists(a), exists(b)], writes: [remove(a), put(b, 'x')] },
      {
        comparisons: [
          {
            ...unchanged(entry),
            modRevision: (entry.modRevision - 1) as Revision,
          } as Transaction['comparisons'][number],
        ],
        writes: [remove(a)],
      },
    ];
    for (const transaction of refused) t.false(value(await db.transact(transaction)).committed);
    t.is(value(await db.get(b)), null);
    await committed(db, {
      comparisons: [unchanged(entry), exists(a)],
      writes: [remove(a), put(b, '2')],
    });
    t.is(value(await db.get(a)), null);
    t.is(value(await db.get(b))?.value, '2');
    t.false(value(await db.transact({ comparisons: [unchanged(entry)], writes: [] })).committed);
  });

  test('of many who compare and swap one key at once, exactly one succeeds', async (t, db, root) => {
    const a = `${root}a`;
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        db.transact({ comparisons: [absent(a)], writes: [put(a, String(index))] }),
      ),
    );
    t.is(outcomes.filter((outcome) => value(outcome).committed).length, 1);
  });

  test('deleting what does not exist succeeds', async (t, db, root) => {
    await committed(db, writing(remove(`${root}none`)));
    t.is(value(await db.get(`${root}none`)), null);
  });

  test('a list is in the order of keys, in pages, and can be of an earlier revision', async (t, db, root) => {
    const keys = ['a', 'b/1', 'b/2', 'c'].map((key) => `${root}${key}`);
    const before = await committed(db, writing(...keys.map((key) => put(key, 'old'))));
    await committed(db, writing(remove(`${root}a`), put(`${root}b/1`, 'new'), put(`${root}z`, '')));
    const old = value(await db.list({ prefix: root, revision: before }));
    t.deepEqual(
      old.entries.map((entry) => entry.key),
      keys,
    );
    t.true(old.entries.every((entry) => entry.value === 'old'));
    t.is(old.revision, before);
    const first = value(await db.list({ prefix: `${root}b`, limit: 1 }));
    t.deepEqual(
      first.entries.map((entry) => entry.key),
      [`${root}b/1`],
    );
    t.true(first.more);
    const after = first.entries[0]?.key;
    const rest = value(await db.list({ prefix: `${root}b`, after, revision: first.revision }));
    t.deepEqual(
      rest.entries.map((entry) => entry.key),
      [`${root}b/2`],
    );
    t.false(rest.more);
    t.deepEqual(value(await db.list({ prefix: `${root}none` })).entries, []);
  });

  test('a snapshot of several prefixes is of one revision', async (t, db, root) => {
    const revision = await committed(
      db,
      writing(put(`${root}a/1`, ''), put(`${root}b/1`, ''), put(`${root}c/1`, '')),
    );
    const both = value(await snapshot(db, [`${root}a/`, `${root}b/`]));
    t.deepEqual(
      both.entries.map((entry) => entry.key),
      [`${root}a/1`, `${root}b/1`],
    );
    t.true(both.revision >= revision);
  });

  test('a revision that is compacted, or has not come, cannot be read', async (t, db, root, under) => {
    const first = await committed(db, writing(put(`${root}a`, '1')));
    const second = await committed(db, writing(put(`${root}a`, '2')));
    await under.compact(second);
    t.is(reason(await db.list({ prefix: root, revision: first })), 'REVISION_COMPACTED');
    t.is(value(await db.list({ prefix: root, revision: second })).entries[0]?.value, '2');
    const future = (second + 1_000_000) as Revision;
    t.is(reason(await db.list({ prefix: root, revision: future })), 'INVALID_FIELD');
  });

  test('a watch delivers changes below its prefixes in order, by transaction, with what was before', async (t, db, root) => {
    const start = await committed(db, writing(put(`${root}a/1`, 'old'), put(`${root}b/1`, 'old')));
    const end = new AbortController();
    const prefixes = [`${root}a/`, `${root}c/`];
    const batches = db.watch({ prefixes, after: start, signal: end.signal });
    await committed(db, writing(put(`${root}b/1`, 'not watched')));
    const both = await committed(
      db,
      writing(put(`${root}a/1`, 'new'), put(`${root}b/2`, ''), put(`${root}c/1`, 'c')),
    );
    const last = await committed(db, writing(remove(`${root}a/1`)));
    const seen = await changes(batches, 2);
    end.abort();
    t.deepEqual(
      seen.map(({ revision }) => revision),
      [both, last],
    );
    t.deepEqual(seen[0]?.changes.map(describe), [
      ['put', `${root}a/1`, 'new', 'old'],
      ['put', `${root}c/1`, 'c', null],
    ]);
    t.deepEqual(seen[1]?.changes.map(describe), [['delete', `${root}a/1`, null, 'new']]);
  });

  test('a watch from an earlier revision delivers all that happened since, once', async (t, db, root) => {
    const start = await committed(db, writing(put(`${root}n`, '0')));
    for (let n = 1; n <= 40; n += 1) await committed(db, writing(put(`${root}n`, String(n))));
    const end = new AbortController();
    const batches = db.watch({ prefixes: [root], after: start, signal: end.signal });
    const writes = (async () => {
      for (let n = 41; n <= 80; n += 1) await committed(db, writing(put(`${root}n`, String(n))));
    })();
    const seen = await changes(batches, 80);
    await writes;
    end.abort();
    t.deepEqual(
      seen.flatMap((batch) => batch.changes.map((change) => describe(change)[2])),
      Array.from({ length: 80 }, (_, index) => String(index + 1)),
    );
  });

  test('a watch from a compacted revision fails, and one that is aborted ends', async (t, db, root, under) => {
    const first = await committed(db, writing(put(`${root}a`, '1')));
    await committed(db, writing(put(`${root}a`, '2')));
    const third = await committed(db, writing(put(`${root}a`, '3')));
    await under.compact(third);
    const end = new AbortController();
    const { signal } = end;
    const failed = await last(db.watch({ prefixes: [root], after: first, signal }));
    t.like(failed, { kind: 'failed', failure: { reason: 'REVISION_COMPACTED' } });
    const ending = last(db.watch({ prefixes: [root], after: third, signal }));
    end.abort();
    t.is(await ending, null);
  });

  test('what is under a lease goes with it when it is not renewed', async (t, db, root, under) => {
    const lease = value(await db.grantLease(milliseconds(2_000)));
    t.true(lease.ttl >= 2_000);
    const revision = await committed(
      db,
      writing(put(`${root}a`, '', lease.id), put(`${root}b`, '')),
    );
    t.is(value(await db.get(`${root}a`))?.lease, lease.id);
    const end = new AbortController();
    const ending = changes(db.watch({ prefixes: [root], after: revision, signal: end.signal }), 1);
    for (let count = 0; count < 3; count += 1) {
      await under.wait(1);
      t.is(value(await db.renewLease(lease.id)).id, lease.id);
    }
    t.not(value(await db.get(`${root}a`)), null);
    for (let count = 0; count < 20 && value(await db.get(`${root}a`)) !== null; count += 1)
      await under.wait(1);
    t.deepEqual((await ending)[0]?.changes.map(describe), [['delete', `${root}a`, null, '']]);
    end.abort();
    t.not(value(await db.get(`${root}b`)), null);
    t.is(reason(await db.renewLease(lease.id)), 'NOT_FOUND');
    t.is(reason(await db.transact(writing(put(`${root}a`, '', lease.id)))), 'NOT_FOUND');
  });

  test('revoking a lease removes what is under it at once, and may be repeated', async (t, db, root) => {
    const lease = value(await db.grantLease(milliseconds(60_000)));
    await committed(db, writing(put(`${root}a`, '', lease.id)));
    value(await db.revokeLease(lease.id));
    t.is(value(await db.get(`${root}a`)), null);
    t.true((await db.revokeLease(lease.id)).ok);
  });

  test('a transaction of too many operations is refused with LIMIT', async (t, db, root) => {
    const writes = Array.from({ length: 129 }, (_, index) => put(`${root}${index}`, ''));
    t.is(reason(await db.transact(writing(...writes))), 'LIMIT');
    t.deepEqual(value(await db.list({ prefix: root })).entries, []);
  });

  test('the members are listed, and one leads', async (t, db) => {
    const members = value(await db.members());
    t.is(members.filter((member) => member.leader).length, 1);
    t.true(members.every((member) => member.healthy && member.clientAddress !== ''));
  });

  test('a closed client fails with DATABASE_UNAVAILABLE', async (t, _db, root, under) => {
    const other = under.open();
    value(await other.get(root));
    other.close();
    t.is(reason(await other.get(root)), 'DATABASE_UNAVAILABLE');
  });
}

function value<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.message}`);
  return result.value;
}

function reason(result: Result<unknown, Failure>): string {
  return result.ok ? 'it succeeded' : result.error.reason;
}

async function committed(database: PoolDatabase, transaction: Transaction): Promise<Revision> {
  const outcome = value(await database.transact(transaction));
  if (!outcome.committed) throw new Error('the transaction was not committed');
  return outcome.revision;
}

type Changes = Extract<WatchBatch, { kind: 'changes' }>;

async function changes(batches: AsyncIterable<WatchBatch>, count: number): Promise<Changes[]> {
  const seen: Changes[] = [];
  for await (const batch of batches) {
    if (batch.kind === 'failed') throw new Error(batch.failure.message);
    if (batch.kind === 'changes') seen.push(batch);
    if (seen.length === count) break;
  }
  return seen;
}

async function last(batches: AsyncIterable<WatchBatch>): Promise<WatchBatch | null> {
  let seen: WatchBatch | null = null;
  for await (const batch of batches) if (batch.kind !== 'progress') seen = batch;
  return seen;
}

/** Kind, key, value, and the value before. */
function describe(change: Change): readonly (string | null)[] {
  const now = change.kind === 'put' ? change.entry.value : null;
  return [change.kind, keyOf(change), now, change.previous?.value ?? null];
}
