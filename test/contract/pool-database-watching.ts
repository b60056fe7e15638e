import type { Event } from '../../proto/gen/mvccpb.ts';
import type { Case } from './pool-database-case.ts';
import { answer, endOf, patience, text, utf8 } from './pool-database-client.ts';

/** `PUT a=1 (before: 0)` of each event, without the prefix. */
function told(events: readonly Event[], prefix: string): string[] {
  return events.map(({ type, kv, prevKv }) => {
    const before = prevKv === null ? '' : ` (before: ${text(prevKv.value)})`;
    const value = type === 'PUT' ? `=${text(kv?.value)}` : '';
    return `${type} ${text(kv?.key).slice(prefix.length)}${value}${before}`;
  });
}

/** Watches. */
export function poolDatabaseWatchContract(add: Case): void {
  add(
    'a watch shows each change after its creation, once and in order',
    async (t, { db, prefix }) => {
      const watch = db.watch();
      const before = await db.revision();
      const created = await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix) });
      t.true(created.created && !created.canceled);
      t.is(created.header?.revision, before);
      await db.put(`${prefix}a`, '1');
      await db.put(`${prefix}a`, '2');
      await db.put('/elsewhere', 'x');
      await db.delete(`${prefix}a`);
      const events = await watch.events(3);
      t.deepEqual(told(events, prefix), ['PUT a=1', 'PUT a=2', 'DELETE a']);
      t.deepEqual(
        events.map(({ kv }) => kv?.modRevision),
        [before + 1n, before + 2n, before + 4n],
      );
      t.deepEqual(
        events.map(({ kv }) => kv?.version),
        [1n, 2n, 0n],
      );
    },
  );

  add('a watch from the past shows all since, then what comes', async (t, { db, prefix }) => {
    const start = (await db.put(`${prefix}a`, '1')).header?.revision ?? 0n;
    await db.put(`${prefix}b`, '1');
    await db.put(`${prefix}a`, '2');
    const watch = db.watch();
    await watch.create({ key: utf8(`${prefix}a`), startRevision: start, prevKv: true });
    await db.put(`${prefix}a`, '3');
    const wanted = ['PUT a=1', 'PUT a=2 (before: 1)', 'PUT a=3 (before: 2)'];
    t.deepEqual(told(await watch.events(3), prefix), wanted);
    const span = db.watch();
    await span.create({ key: utf8(prefix), rangeEnd: endOf(prefix), startRevision: start + 1n });
    t.deepEqual(told(await span.events(3), prefix), ['PUT b=1', 'PUT a=2', 'PUT a=3']);
  });

  add('a watch from the future shows nothing before', async (t, { db, prefix }) => {
    const watch = db.watch();
    const startRevision = (await db.revision()) + 3n;
    await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix), startRevision });
    for (const each of ['1', '2', '3']) await db.put(`${prefix}a`, each);
    t.deepEqual(told(await watch.events(1), prefix), ['PUT a=3']);
  });

  add('a watch from a key on shows all keys from there', async (t, { db }) => {
    const watch = db.watch();
    const high = '\u{10ffff}';
    await watch.create({ key: utf8(high), rangeEnd: Buffer.from([0]) });
    await db.put('/low', '1');
    await db.put(`${high}x`, '1');
    t.deepEqual(told(await watch.events(1), high), ['PUT x=1']);
    await db.delete(`${high}x`);
  });

  add(
    'a watch leaves out what it is told to, and tells what was before',
    async (t, { db, prefix }) => {
      const watch = db.watch();
      const range = { key: utf8(prefix), rangeEnd: endOf(prefix), prevKv: true };
      await watch.create({ ...range, watchId: 1n, filters: ['NOPUT'] });
      await watch.create({ ...range, watchId: 2n, filters: ['NODELETE'] });
      await db.put(`${prefix}a`, '1');
      await db.put(`${prefix}a`, '2');
      await db.delete(`${prefix}a`);
      const shown = new Map<bigint, string[]>([
        [1n, []],
        [2n, []],
      ]);
      while ((shown.get(1n)?.length ?? 0) < 1 || (shown.get(2n)?.length ?? 0) < 2) {
        const { watchId, events } = await watch.next();
        shown.get(watchId)?.push(...told(events, prefix));
      }
      t.deepEqual(shown.get(1n), ['DELETE a (before: 2)']);
      t.deepEqual(shown.get(2n), ['PUT a=1', 'PUT a=2 (before: 1)']);
    },
  );

  add('the changes of one transaction come together', async (t, { db, prefix }) => {
    const watch = db.watch();
    await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix) });
    const keys = Array.from({ length: 100 }, (_, index) => utf8(`${prefix}${1000 + index}`));
    const written = await db.txn({ success: keys.map((key) => ({ requestPut: { key } })) });
    const response = await watch.next();
    t.is(response.events.length, 100);
    t.is(response.header?.revision, written.header?.revision);
    t.true(response.events.every(({ kv }) => kv?.modRevision === written.header?.revision));
  });

  add('one stream carries many watches, and each can be canceled', async (t, { db, prefix }) => {
    const watch = db.watch();
    const ids: bigint[] = [];
    for (const each of ['a', 'b', 'c'])
      ids.push((await watch.create({ key: utf8(prefix + each) })).watchId);
    t.is(new Set(ids).size, 3);
    const [, second = -1n] = ids;
    watch.send({ cancelRequest: { watchId: second } });
    const canceled = await watch.next();
    t.deepEqual(
      [canceled.watchId, canceled.canceled, canceled.compactRevision],
      [second, true, 0n],
    );
    for (const each of ['a', 'b', 'c']) await db.put(prefix + each, '1');
    t.deepEqual(told(await watch.events(2), prefix), ['PUT a=1', 'PUT c=1']);
  });

  add('a watch that cannot be is refused, and the stream goes on', async (t, { db, prefix }) => {
    const watch = db.watch();
    const key = utf8(`${prefix}b`);
    t.is((await watch.create({ key, watchId: 7n })).watchId, 7n);
    const taken = await watch.create({ key, watchId: 7n });
    t.deepEqual([taken.watchId, taken.created, taken.canceled], [-1n, true, true]);
    t.is(taken.cancelReason, 'mvcc: duplicate watch ID provided on the WatchStream');
    const empty = await watch.create({ key, rangeEnd: utf8(`${prefix}a`) });
    t.deepEqual([empty.watchId, empty.created, empty.canceled], [-1n, true, true]);
    t.is(empty.cancelReason, 'mvcc: watcher range is empty');
    await db.put(`${prefix}b`, '1');
    t.deepEqual(told(await watch.events(1), prefix), ['PUT b=1']);
  });

  add(
    'a watch of what was compacted ends, and says from where it could begin',
    async (t, { db, prefix }) => {
      const start = (await db.put(`${prefix}a`, '1')).header?.revision ?? 0n;
      await db.put(`${prefix}a`, '2');
      const last = (await db.put(`${prefix}a`, '3')).header?.revision ?? 0n;
      await answer(db.kv.compact({ revision: last }, patience));
      const watch = db.watch();
      const created = await watch.create({ key: utf8(`${prefix}a`), startRevision: start });
      t.false(created.canceled);
      const ended = await watch.next();
      t.deepEqual([ended.canceled, ended.compactRevision], [true, last]);
      await watch.create({ key: utf8(`${prefix}a`), startRevision: last, prevKv: true });
      t.deepEqual(told(await watch.events(1), prefix), ['PUT a=3']);
    },
  );

  add(
    'progress is told when it is asked for, after all that was shown',
    async (t, { db, prefix }) => {
      const watch = db.watch();
      await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix) });
      const { header } = await db.put(`${prefix}a`, '1');
      t.deepEqual(told(await watch.events(1), prefix), ['PUT a=1']);
      watch.send({ progressRequest: {} });
      const progress = await watch.next();
      t.is(progress.events.length, 0);
      t.is(progress.watchId, -1n);
      t.true((progress.header?.revision ?? 0n) >= (header?.revision ?? 0n));
    },
  );

  add(
    'a watch catches up with thousands of changes while more are made',
    async (t, { db, prefix }) => {
      const start = (await db.revision()) + 1n;
      const write = async (from: number, to: number) => {
        for (let index = from; index < to; index += 100) {
          const batch = Array.from({ length: 100 }, (_, offset) =>
            db.put(`${prefix}${(index + offset) % 7}`, `${index + offset}`),
          );
          await Promise.all(batch);
        }
      };
      await write(0, 2000);
      const watch = db.watch();
      await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix), startRevision: start });
      const writing = write(2000, 3000);
      const events = await watch.events(3000);
      await writing;
      t.is(events.length, 3000);
      t.deepEqual(
        events.map(({ kv }) => kv?.modRevision),
        Array.from({ length: 3000 }, (_, index) => start + BigInt(index)),
      );
      const values = events.map(({ kv }) => Number(text(kv?.value)));
      t.is(new Set(values).size, 3000);
    },
  );
}
