import { present } from '../../base/assert.ts';
import { bytes } from '../../base/units.ts';
import { DiskLogStore } from '../../consensus/adapters/disk/log-store.ts';
import { frames } from '../../consensus/adapters/snapshot-frames.ts';
import { configurationOf } from '../../consensus/core/configuration.ts';
import type { Entry, HardState, Position, SnapshotMeta } from '../../consensus/core/entry.ts';
import { logIndex, memberId, term } from '../../consensus/core/ids.ts';
import type { Persist } from '../../consensus/core/output.ts';
import { commandEntry, firstConfiguration, hardState, persist } from '../contract/log-store.ts';
import type { Recorder } from './recorder.ts';

/** What a store has promised to have. */
export interface Promised {
  readonly hardState: HardState;
  readonly base: Position;
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMeta;
  readonly incarnation: number;
}

/** One thing that a member asks of its store. */
export type Action =
  | { readonly kind: 'open' }
  | { readonly kind: 'write'; readonly list: readonly Persist[] }
  | { readonly kind: 'snapshot'; readonly index: number; readonly at: number }
  | { readonly kind: 'receive'; readonly index: number; readonly at: number };

/** Small, so that a short script has several. */
const segmentBytes = bytes(8 * 2 ** 10);

/** Opens the store of a directory, as the script and its checks do. */
export async function openStore(directory: string): Promise<DiskLogStore> {
  const identity = { pool: 'p', member: memberId(1), name: 'm', token: 't' };
  const configuration = firstConfiguration;
  const store = await DiskLogStore.open({ directory, identity, configuration, segmentBytes });
  if (!store.ok) throw new Error(store.error.detail);
  return store.value;
}

const nothing: Promised = {
  hardState: hardState(0, 0, 0),
  base: { index: logIndex(0), term: term(0) },
  entries: [],
  snapshot: { index: logIndex(0), term: term(0), configuration: firstConfiguration },
  incarnation: 0,
};

function metaOf(index: number, at: number): SnapshotMeta {
  const configuration = configurationOf([1, 2, 3].map(memberId));
  return { index: logIndex(index), term: term(at), configuration };
}

function entries(first: number, count: number, at: number, size = 300): Persist {
  return persist({
    entries: Array.from({ length: count }, (_, position) =>
      commandEntry(first + position, at, `${first + position} in ${at} `.padEnd(size, 'v')),
    ),
  });
}

/** A member's life: it votes, follows, is contradicted, makes snapshots, and receives one. */
export const script: readonly Action[] = [
  { kind: 'open' },
  { kind: 'write', list: [persist({ hardState: hardState(1, 1, 0) })] },
  { kind: 'write', list: [entries(1, 4, 1)] },
  { kind: 'write', list: [entries(5, 1, 1), entries(6, 2, 1)] },
  { kind: 'write', list: [persist({ hardState: hardState(2, 3, 0) })] },
  // The leader of term 2 has something else from entry 6 on.
  { kind: 'write', list: [entries(6, 5, 2)] },
  { kind: 'write', list: [entries(11, 12, 2)] },
  { kind: 'write', list: [entries(23, 1, 2, 1500), persist({ hardState: hardState(2, 3, 20) })] },
  { kind: 'snapshot', index: 20, at: 2 },
  { kind: 'write', list: [entries(24, 20, 2)] },
  // Larger than a segment.
  { kind: 'write', list: [entries(44, 1, 2, 20_000)] },
  { kind: 'write', list: [entries(45, 2, 2)] },
  { kind: 'snapshot', index: 44, at: 2 },
  { kind: 'open' },
  { kind: 'write', list: [persist({ hardState: hardState(5, 0, 44) }), entries(47, 1, 3)] },
  { kind: 'receive', index: 90, at: 5 },
  {
    kind: 'write',
    list: [
      persist({ reset: { index: logIndex(90), term: term(5) }, hardState: hardState(5, 2, 90) }),
    ],
  },
  { kind: 'write', list: [entries(91, 10, 5)] },
  { kind: 'write', list: [entries(101, 20, 5)] },
  { kind: 'write', list: [entries(121, 3, 5, 2500)] },
  // A segment begins with what replaces the end of the one before it.
  { kind: 'write', list: [persist({ hardState: hardState(7, 0, 90) }), entries(122, 3, 7, 2500)] },
  { kind: 'write', list: [entries(125, 12, 7)] },
  { kind: 'snapshot', index: 130, at: 7 },
  { kind: 'write', list: [entries(137, 2, 7)] },
  { kind: 'open' },
  { kind: 'write', list: [entries(139, 2, 7)] },
];

/** What is promised after each number of actions. */
export const promises: readonly Promised[] = script.reduce<Promised[]>(
  (all, action) => all.concat(after(present(all.at(-1), 'it begins with nothing'), action)),
  [nothing],
);

function after(before: Promised, action: Action): Promised {
  switch (action.kind) {
    case 'open':
      return { ...before, incarnation: before.incarnation + 1 };
    case 'write':
      return action.list.reduce(written, before);
    case 'snapshot':
    case 'receive':
      return { ...before, snapshot: metaOf(action.index, action.at) };
  }
}

function written(before: Promised, { hardState: state, reset, entries: fresh }: Persist): Promised {
  const first = fresh[0]?.index ?? Number.POSITIVE_INFINITY;
  const kept = reset === null ? before.entries.filter(({ index }) => index < first) : [];
  return {
    ...before,
    hardState: state ?? before.hardState,
    base: reset ?? before.base,
    entries: [...kept, ...fresh],
  };
}

/** Plays the script on a store in `directory`, noting what it has acknowledged. */
export async function play(directory: string, recorder: Recorder): Promise<void> {
  let store: DiskLogStore | null = null;
  for (const [position, action] of script.entries()) {
    if (action.kind === 'open') {
      await store?.close();
      store = await openStore(directory);
    } else await act(present(store, 'the script begins with an opening'), action);
    recorder.note(position + 1);
  }
  await store?.close();
}

async function act(store: DiskLogStore, action: Exclude<Action, { kind: 'open' }>): Promise<void> {
  const result = await request(store, action);
  if (!result.ok) throw new Error(result.error.detail);
  // What a snapshot stands for is not needed, and goes while the member goes on.
  if (action.kind === 'snapshot') store.compact(logIndex(action.index));
}

function request(store: DiskLogStore, action: Exclude<Action, { kind: 'open' }>) {
  switch (action.kind) {
    case 'write':
      return store.write(action.list);
    case 'snapshot':
      return store.saveSnapshot(metaOf(action.index, action.at), [contentAt(action.index)]);
    case 'receive': {
      const data = Buffer.concat([...frames([contentAt(action.index)])]);
      const snapshot = metaOf(action.index, action.at);
      return store.storePiece({ snapshot, offset: 0, data, last: true });
    }
  }
}

/** What a snapshot of the script holds. */
export function contentAt(index: number): Buffer {
  return Buffer.from(`the state at ${index}`.padEnd(3000, '.'));
}
