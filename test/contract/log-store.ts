import test, { type ExecutionContext } from 'ava';
import { present } from '../../base/assert.ts';
import { type Configuration, configurationOf } from '../../consensus/core/configuration.ts';
import type { Entry, HardState, SnapshotMeta } from '../../consensus/core/entry.ts';
import { logIndex, memberId, term } from '../../consensus/core/ids.ts';
import type { Persist } from '../../consensus/core/output.ts';
import type { LogStore } from '../../consensus/ports.ts';

/** A place where a store can be opened, closed and opened again. */
export interface StorePlace {
  open(): Promise<LogStore>;
  remove(): Promise<void>;
}

/** The configuration that every place of the suite begins with. */
export const firstConfiguration: Configuration = configurationOf([1, 2, 3].map(memberId));

/** A command entry, for tests of stores. */
export function commandEntry(index: number, entryTerm: number, text = `${index}`): Entry {
  const proposal = { id: { member: memberId(1), number: index }, command: Buffer.from(text) };
  return { index: logIndex(index), term: term(entryTerm), payload: { kind: 'command', proposal } };
}

/** Something to write, empty but for what a test names. */
export function persist(part: Partial<Persist>): Persist {
  return { sequence: 0, hardState: null, reset: null, entries: [], ...part };
}

/** Term, vote (0: none) and commit. */
export function hardState(at: number, vote: number, commit: number): HardState {
  return { term: term(at), vote: vote === 0 ? null : memberId(vote), commit: logIndex(commit) };
}

function meta(index: number, at: number): SnapshotMeta {
  return { index: logIndex(index), term: term(at), configuration: firstConfiguration };
}

function texts(entries: readonly Entry[]): readonly string[] {
  return entries.map(({ index, term: at, payload }) => {
    if (payload.kind !== 'command') return `${index}@${at} ${payload.kind}`;
    return `${index}@${at} ${Buffer.from(payload.proposal.command).toString()}`;
  });
}

const range = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

const chunks = (...items: readonly string[]): readonly Uint8Array[] =>
  items.map((item) => Buffer.from(item));

async function write(t: ExecutionContext, store: LogStore, ...list: Persist[]): Promise<void> {
  t.deepEqual(await store.write(list), { ok: true, value: undefined });
}

function read(t: ExecutionContext, store: LogStore, index: number): readonly string[] {
  const loaded = store.loadSnapshot(logIndex(index));
  t.true(loaded.ok);
  return loaded.ok ? [...loaded.value].map((chunk) => Buffer.from(chunk).toString()) : [];
}

/** What every `LogStore` promises, over being closed and opened again. */
export function logStoreSuite(name: string, makePlace: () => Promise<StorePlace>): void {
  const scenario = (
    title: string,
    run: (t: ExecutionContext, place: StorePlace) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async (t) => {
      const place = await makePlace();
      try {
        await run(t, place);
      } finally {
        await place.remove();
      }
    });

  scenario('a new store is empty and has the first configuration', async (t, place) => {
    const store = await place.open();
    t.deepEqual(store.recovered.hardState, hardState(0, 0, 0));
    t.deepEqual(store.recovered.entries, []);
    t.deepEqual(store.recovered.snapshot, meta(0, 0));
    await store.close();
  });

  scenario('entries and hard state are there again, of every kind', async (t, place) => {
    const first = await place.open();
    const configuration: Configuration = configurationOf([memberId(1)], [memberId(9)]);
    const entries: readonly Entry[] = [
      { index: logIndex(1), term: term(1), payload: { kind: 'noop' } },
      commandEntry(2, 1, 'hello'),
      {
        index: logIndex(3),
        term: term(2),
        payload: { kind: 'configuration', configuration, proposal: null },
      },
      commandEntry(4, 2, ''),
    ];
    await write(t, first, persist({ hardState: hardState(2, 3, 1), entries: entries.slice(0, 2) }));
    await write(t, first, persist({ entries: entries.slice(2) }));
    await first.close();
    const second = await place.open();
    t.deepEqual(second.recovered.hardState, hardState(2, 3, 1));
    t.deepEqual(
      second.recovered.entries.map((entry) => JSON.stringify(entry)),
      entries.map((entry) => JSON.stringify(entry)),
    );
    await second.close();
  });

  scenario('an entry replaces the one at its index and all after it', async (t, place) => {
    const first = await place.open();
    const entries = range(1, 5).map((index) => commandEntry(index, 1));
    await write(
      t,
      first,
      persist({ hardState: hardState(3, 0, 0), entries }),
      persist({ entries: [commandEntry(3, 3, 'new')] }),
    );
    await first.close();
    const second = await place.open();
    t.deepEqual(texts(second.recovered.entries), ['1@1 1', '2@1 2', '3@3 new']);
    await second.close();
  });

  scenario('a list of writes becomes durable in order', async (t, place) => {
    const first = await place.open();
    const list = range(1, 50).map((index) =>
      persist({ hardState: hardState(index, 1, 0), entries: [commandEntry(index, index)] }),
    );
    await write(t, first, ...list);
    await first.close();
    const second = await place.open();
    t.is(second.recovered.entries.length, 50);
    t.is(second.recovered.hardState.term, term(50));
    await second.close();
  });

  scenario('every opening has a higher incarnation', async (t, place) => {
    const seen: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const store = await place.open();
      seen.push(store.incarnation);
      await store.close();
    }
    t.deepEqual(seen, [1, 2, 3]);
  });

  scenario('a snapshot is there again, with its chunks, and the log after it', async (t, place) => {
    const first = await place.open();
    const entries = range(1, 10).map((index) => commandEntry(index, 1));
    await write(t, first, persist({ hardState: hardState(1, 1, 8), entries }));
    t.true((await first.saveSnapshot(meta(8, 1), chunks('one', 'two'))).ok);
    first.compact(logIndex(8));
    t.deepEqual(read(t, first, 8), ['one', 'two']);
    await first.close();
    const second = await place.open();
    t.deepEqual(second.recovered.snapshot, meta(8, 1));
    t.deepEqual(texts(second.recovered.entries).slice(-2), ['9@1 9', '10@1 10']);
    t.deepEqual(read(t, second, 8), ['one', 'two']);
    await second.close();
  });

  scenario('a newer snapshot takes the place of the older', async (t, place) => {
    const store = await place.open();
    const entries = range(1, 10).map((index) => commandEntry(index, 1));
    await write(t, store, persist({ hardState: hardState(1, 1, 8), entries }));
    await store.saveSnapshot(meta(4, 1), chunks('old'));
    await store.saveSnapshot(meta(8, 1), chunks('new'));
    const old = store.loadSnapshot(logIndex(4));
    t.is(old.ok ? null : old.error.code, 'missing');
    t.deepEqual(read(t, store, 8), ['new']);
    await store.close();
  });

  scenario('a snapshot travels in pieces from one store to another', async (t, place) => {
    const source = await place.open();
    const entries = range(1, 5).map((index) => commandEntry(index, 2));
    await write(t, source, persist({ hardState: hardState(2, 1, 5), entries }));
    const large = 'x'.repeat(300_000);
    await source.saveSnapshot(meta(5, 2), chunks(large, 'small'));
    const otherPlace = await makePlace();
    const target = await otherPlace.open();
    await write(t, target, persist({ entries: [commandEntry(1, 1)] }));
    let offset = 0;
    for (let last = false; !last; ) {
      const piece = await source.readPiece(logIndex(5), offset);
      if (!piece.ok) throw new Error(piece.error.detail);
      const stored = await target.storePiece({ snapshot: meta(5, 2), offset, ...piece.value });
      offset += piece.value.data.byteLength;
      t.deepEqual(stored, { ok: true, value: offset });
      last = piece.value.last;
    }
    t.deepEqual(read(t, target, 5), [large, 'small']);
    await target.close();

    // The log was not reset before the crash: the snapshot is the log.
    const again = await otherPlace.open();
    t.is(again.recovered.base.index, logIndex(5));
    t.deepEqual(again.recovered.entries, []);
    await write(t, again, persist({ entries: [commandEntry(6, 2)] }));
    await again.close();
    const third = await otherPlace.open();
    t.deepEqual(texts(third.recovered.entries), ['6@2 6']);
    await third.close();
    await source.close();
    await otherPlace.remove();
  });

  scenario('a snapshot that was damaged on the way is refused', async (t, place) => {
    const source = await place.open();
    const entries = range(1, 5).map((index) => commandEntry(index, 2));
    await write(t, source, persist({ hardState: hardState(2, 1, 5), entries }));
    await source.saveSnapshot(meta(5, 2), chunks('something of length'));
    const piece = await source.readPiece(logIndex(5), 0);
    if (!piece.ok) throw new Error(piece.error.detail);
    const data = Buffer.from(piece.value.data);
    data[12] = present(data[12], 'the snapshot is longer than 12 bytes') ^ 1;
    const otherPlace = await makePlace();
    const target = await otherPlace.open();
    const result = await target.storePiece({ snapshot: meta(5, 2), offset: 0, data, last: true });
    t.is(result.ok ? null : result.error.code, 'damaged');
    await target.close();
    const again = await otherPlace.open();
    t.is(again.recovered.snapshot.index, logIndex(0));
    await again.close();
    await source.close();
    await otherPlace.remove();
  });

  scenario('after a reset the log begins at the snapshot', async (t, place) => {
    const first = await place.open();
    const entries = range(1, 3).map((index) => commandEntry(index, 1));
    await write(t, first, persist({ hardState: hardState(4, 0, 0), entries }));
    const source = await makePlace();
    const other = await source.open();
    await other.saveSnapshot(meta(7, 3), chunks('state'));
    const piece = await other.readPiece(logIndex(7), 0);
    if (!piece.ok) throw new Error(piece.error.detail);
    t.true((await first.storePiece({ snapshot: meta(7, 3), offset: 0, ...piece.value })).ok);
    const reset = { index: logIndex(7), term: term(3) };
    await write(t, first, persist({ reset, entries: [commandEntry(8, 4)] }));
    await first.close();
    await other.close();
    await source.remove();
    const second = await place.open();
    t.deepEqual(second.recovered.base, reset);
    t.deepEqual(texts(second.recovered.entries), ['8@4 8']);
    await second.close();
  });
}
