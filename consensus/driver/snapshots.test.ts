import test from 'ava';
import { fail, ok, type Result } from '../../base/result.ts';
import { bytes } from '../../base/units.ts';
import { commandEntry, firstConfiguration } from '../../test/contract/log-store.ts';
import { blankDisk, MemoryLogStore } from '../adapters/memory/log-store.ts';
import type { SnapshotMeta } from '../core/entry.ts';
import { memberId } from '../core/ids.ts';
import type { Input } from '../core/input.ts';
import { createRaft, emptyHardState } from '../core/raft.ts';
import { recover } from '../core/recovery.ts';
import type { StoreError } from '../ports.ts';
import type { StateMachine } from '../replica.ts';
import { defaultLimits } from './limits.ts';
import { SnapshotKeeper } from './snapshots.ts';

/** A disk that takes the first chunk of a snapshot, and is full then. */
class FullStore extends MemoryLogStore {
  saves = 0;
  full = true;

  constructor() {
    super(blankDisk(firstConfiguration));
  }

  override async saveSnapshot(
    meta: SnapshotMeta,
    chunks: Iterable<Uint8Array>,
  ): Promise<Result<void, StoreError>> {
    this.saves += 1;
    if (!this.full) return super.saveSnapshot(meta, chunks);
    for (const _ of chunks) break;
    return fail({ code: 'full', detail: 'no room' });
  }
}

/** A state machine of ten chunks, which tells how many of its snapshots are being read. */
class Chunks implements StateMachine<null> {
  open = 0;
  chunkSize = 10;

  apply(): null {
    return null;
  }

  *snapshot(): Generator<Uint8Array> {
    this.open += 1;
    try {
      for (let count = 0; count < 10; count += 1) yield Buffer.alloc(this.chunkSize);
    } finally {
      this.open -= 1;
    }
  }

  restore(): Result<void, string> {
    return ok(undefined);
  }
}

function setting() {
  const store = new FullStore();
  const machine = new Chunks();
  const inputs: Input[] = [];
  const limits = { ...defaultLimits, snapshotEntries: 4, snapshotBytes: bytes(1000) };
  const keeper = new SnapshotKeeper(store, machine, limits, {
    input: (input) => inputs.push(input),
    send: () => {},
  });
  const recovered = recover(emptyHardState, store.recovered.snapshot, store.recovered.base, []);
  const raft = createRaft(memberId(1), limits, recovered);
  const apply = async (count: number): Promise<void> => {
    keeper.applied(
      raft,
      Array.from({ length: count }, (_, at) => commandEntry(at + 1, 1, 'v')),
    );
    for (let turn = 0; turn < 10; turn += 1) await null;
  };
  return { store, machine, inputs, apply };
}

test('a snapshot for which there is no room is let go, and tried again in time', async (t) => {
  const { store, machine, inputs, apply } = setting();
  await apply(4);
  t.deepEqual([store.saves, machine.open, inputs.length], [1, 0, 0]);
  await apply(1);
  t.is(store.saves, 1);
  store.full = false;
  await apply(3);
  t.deepEqual([store.saves, machine.open], [2, 0]);
  t.deepEqual(
    inputs.map(({ kind }) => kind),
    ['snapshot-made'],
  );
});

test('a large state is not written again for a few entries', async (t) => {
  const { store, machine, apply } = setting();
  store.full = false;
  machine.chunkSize = 10_000;
  await apply(4);
  t.is(store.saves, 1);
  // Some 470 bytes each, and half of 100,000 to come to.
  await apply(100);
  t.is(store.saves, 1);
  await apply(10);
  t.is(store.saves, 2);
});
