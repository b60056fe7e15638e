import test from 'ava';
import { milliseconds } from '../base/units.ts';
import type { PoolDatabase, WatchBatch } from './database.ts';
import { revisionCompacted } from './database-failures.ts';
import { type MirrorBatch, mirror } from './mirror.ts';
import { simulatedClock } from './simulated/clock.ts';
import { simulatedDatabase } from './simulated/database.ts';
import { put, remove, writing } from './transaction.ts';

function describe({ changes }: MirrorBatch): string[] {
  return changes.map((change) =>
    change.kind === 'put' ? `${change.entry.key}=${change.entry.value}` : `-${change.key}`,
  );
}

test('a mirror waits for a database that does not answer, and then follows it', async (t) => {
  const clock = simulatedClock();
  const fault: { next: 'none' | 'refused' } = { next: 'none' };
  const database = simulatedDatabase({ clock, fault: () => fault.next });
  const end = new AbortController();
  const seen: string[] = [];
  const write = async (key: string, text: string) => {
    await database.transact(writing(put(key, text)));
  };
  await write('/a/1', 'one');
  fault.next = 'refused';
  const copy = mirror(database, ['/a/', '/b/'], {
    signal: end.signal,
    clock,
    onBatch: (batch) => seen.push(...describe(batch)),
  });
  await clock.advance(milliseconds(3_000));
  t.is(copy.entries.size, 0);
  fault.next = 'none';
  await clock.advance(milliseconds(6_000));
  await copy.synced;
  await write('/a/2', 'two');
  await write('/c/1', 'elsewhere');
  await write('/b/1', 'three');
  await clock.advance(milliseconds(1));
  t.deepEqual(seen, ['/a/1=one', '/a/2=two', '/b/1=three']);
  t.is(copy.revision, database.revision);
  end.abort();
  database.close();
});

test('a mirror whose history is compacted reads anew, and reports what is different', async (t) => {
  const clock = simulatedClock();
  const database = simulatedDatabase({ clock });
  const interrupted = Promise.withResolvers<void>();
  let watches = 0;
  /** The first watch ends as one does whose member failed and whose revision is compacted. */
  const view: PoolDatabase = {
    ...database,
    watch: (request) => {
      watches += 1;
      return watches > 1 ? database.watch(request) : compacted(interrupted.promise);
    },
  };
  async function* compacted(when: Promise<void>): AsyncIterable<WatchBatch> {
    await when;
    yield { kind: 'failed', failure: revisionCompacted(database.revision) };
  }
  const seen: string[][] = [];
  const end = new AbortController();
  await database.transact(writing(put('/a/1', 'one'), put('/a/2', 'two'), put('/a/3', 'three')));
  const copy = mirror(view, ['/a/'], {
    signal: end.signal,
    clock,
    onBatch: (batch) => seen.push(describe(batch)),
  });
  await copy.synced;
  await database.transact(writing(remove('/a/1'), put('/a/2', 'zwei'), put('/a/4', 'four')));
  interrupted.resolve();
  await clock.advance(milliseconds(10_000));
  await database.transact(writing(put('/a/5', 'five')));
  await clock.advance(milliseconds(1));
  t.deepEqual(seen, [
    ['/a/1=one', '/a/2=two', '/a/3=three'],
    ['-/a/1', '/a/2=zwei', '/a/4=four'],
    ['/a/5=five'],
  ]);
  t.deepEqual([...copy.entries.keys()].sort(), ['/a/2', '/a/3', '/a/4', '/a/5']);
  end.abort();
  database.close();
});
