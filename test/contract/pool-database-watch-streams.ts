import { Metadata } from '@grpc/grpc-js';
import type { Event } from '../../proto/gen/mvccpb.ts';
import type { Case } from './pool-database-case.ts';
import { answer, endOf, patience, text, utf8 } from './pool-database-client.ts';

/** What a stream of many watches promises. */
export function poolDatabaseWatchStreamContract(add: Case): void {
  add('a watch has the id that was chosen, or the next that is free', async (t, { db, prefix }) => {
    const watch = db.watch();
    const ids: bigint[] = [];
    for (const watchId of [1n, 0n, 0n, 77n, 0n])
      ids.push((await watch.create({ key: utf8(prefix), watchId })).watchId);
    t.deepEqual(ids, [1n, 0n, 2n, 77n, 3n]);
    watch.send({ cancelRequest: { watchId: 1n } });
    t.true((await watch.next()).canceled);
    t.is((await watch.create({ key: utf8(prefix), watchId: 1n })).watchId, 1n);
    watch.send({ cancelRequest: { watchId: 4242n } });
    watch.send({ progressRequest: {} });
    t.deepEqual((await watch.next()).watchId, -1n);
  });

  add('each of many watches on one stream is shown everything', async (t, { db, prefix }) => {
    const watch = db.watch();
    const count = 200;
    for (let at = 0; at < count; at += 1)
      await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix), watchId: BigInt(at + 1) });
    const revisions: bigint[] = [];
    for (const key of ['a', 'b', 'a'])
      revisions.push((await db.put(prefix + key, key)).header?.revision ?? 0n);
    const shown = new Map<bigint, bigint[]>();
    for (let left = 3 * count; left > 0; ) {
      const { watchId, events } = await watch.next();
      left -= events.length;
      const seen = shown.get(watchId) ?? [];
      shown.set(watchId, [...seen, ...events.map(({ kv }) => kv?.modRevision ?? 0n)]);
    }
    t.is(shown.size, count);
    for (const seen of shown.values()) t.deepEqual(seen, revisions);
  });

  add('a large change comes in fragments to who allows it', async (t, { db, prefix }) => {
    const large = 'v'.repeat(700_000);
    const keys = [utf8(`${prefix}a`), utf8(`${prefix}b`)];
    const write = () =>
      db.txn({ success: keys.map((key) => ({ requestPut: { key, value: utf8(large) } })) });
    await write();
    const watch = db.watch();
    const range = { key: utf8(prefix), rangeEnd: endOf(prefix), prevKv: true };
    await watch.create({ ...range, watchId: 1n, fragment: true });
    const whole = db.watch();
    await whole.create({ ...range, watchId: 2n });
    const revision = (await write()).header?.revision ?? 0n;
    const first = await watch.next();
    const second = await watch.next();
    t.deepEqual([first.fragment, second.fragment], [true, false]);
    t.is((await whole.next()).events.length, 2);
    for (const [at, { kv, prevKv }] of [...first.events, ...second.events].entries()) {
      t.deepEqual(Buffer.from(kv?.key ?? []), keys[at]);
      t.deepEqual([kv?.modRevision, prevKv?.version], [revision, 1n]);
    }
    await answer(db.kv.deleteRange({ key: utf8(prefix), rangeEnd: endOf(prefix) }, patience));
  });

  add('a watch that keeps pace goes on over a compaction', async (t, { db, prefix }) => {
    const watch = db.watch();
    await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix), prevKv: true });
    const told = ({ kv, prevKv }: Event) => `${text(kv?.value)} ${text(prevKv?.value)}`;
    for (let round = 1; round <= 3; round += 1) {
      const revision = (await db.put(`${prefix}a`, `${round}`)).header?.revision ?? 0n;
      t.deepEqual((await watch.events(1)).map(told), [`${round} ${round === 1 ? '' : round - 1}`]);
      await answer(db.kv.compact({ revision, physical: true }, patience));
    }
  });

  add('what was before is not told where it is compacted', async (t, { db, prefix }) => {
    await db.put(`${prefix}a`, '1');
    const second = (await db.put(`${prefix}a`, '2')).header?.revision ?? 0n;
    await db.put(`${prefix}a`, '3');
    await answer(db.kv.compact({ revision: second, physical: true }, patience));
    const watch = db.watch();
    await watch.create({ key: utf8(`${prefix}a`), startRevision: second, prevKv: true });
    const events = await watch.events(2);
    t.deepEqual(
      events.map(({ prevKv }) => (prevKv === null ? null : text(prevKv.value))),
      [null, '2'],
    );
  });

  add('who asks for a leader is served while there is one', async (t, { db, clients, prefix }) => {
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');
    for (const client of clients) {
      const watch = client.watch(metadata);
      await watch.create({ key: utf8(`${prefix}a`) });
      await db.put(`${prefix}a`, '1');
      t.is((await watch.events(1)).length, 1);
    }
  });
}
