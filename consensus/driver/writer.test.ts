import test from 'ava';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { firstConfiguration, persist } from '../../test/contract/log-store.ts';
import { blankDisk, MemoryLogStore } from '../adapters/memory/log-store.ts';
import type { Persist } from '../core/output.ts';
import type { Clock, StoreError } from '../ports.ts';
import { defaultLimits } from './limits.ts';
import { Writer } from './writer.ts';

/** A store whose writes end when the test says so. */
class ManualStore extends MemoryLogStore {
  readonly lists: (readonly Persist[])[] = [];
  #answer: ((result: Result<void, StoreError>) => void) | null = null;

  constructor() {
    super(blankDisk(firstConfiguration));
  }

  override write(list: readonly Persist[]): Promise<Result<void, StoreError>> {
    this.lists.push(list);
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  async answer(result: Result<void, StoreError>): Promise<void> {
    this.#answer?.(result);
    for (let i = 0; i < 5; i += 1) await null;
  }
}

function setting() {
  const store = new ManualStore();
  const heard: string[] = [];
  const timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => milliseconds(0),
    every: (_, callback) => {
      timers.push(callback);
      return () => {};
    },
    defer: (callback) => callback(),
    soon: (callback) => callback(),
  };
  const writer = new Writer(store, clock, defaultLimits, {
    durable: (sequence) => heard.push(`durable ${sequence}`),
    disk: (state) => heard.push(state),
  });
  const write = (sequence: number): void => writer.write(persist({ sequence }));
  const sequences = (): readonly number[][] =>
    store.lists.map((list) => list.map(({ sequence }) => sequence));
  return { store, heard, timers, writer, write, sequences };
}

const full: StoreError = { code: 'full', detail: 'no room' };
const failed: StoreError = { code: 'failed', detail: 'broken' };

test('what comes while a write is under way goes out together in the next', async (t) => {
  const { store, heard, write, sequences } = setting();
  for (const sequence of [1, 2, 3]) write(sequence);
  t.deepEqual(sequences(), [[1]]);
  t.deepEqual(heard, []);
  await store.answer(ok(undefined));
  t.deepEqual(heard, ['durable 1']);
  t.deepEqual(sequences(), [[1], [2, 3]]);
  await store.answer(ok(undefined));
  t.deepEqual(heard, ['durable 1', 'durable 3']);
});

test('a full disk is tried again with all that waits, in order, until there is room', async (t) => {
  const { store, heard, timers, write, sequences } = setting();
  write(1);
  write(2);
  await store.answer(fail(full));
  write(3);
  t.deepEqual(heard, ['full']);
  t.deepEqual(sequences(), [[1]], 'nothing is written before the time to try again');
  timers[0]?.();
  t.deepEqual(sequences().at(-1), [1, 2, 3]);
  await store.answer(ok(undefined));
  t.deepEqual(heard, ['full', 'good', 'durable 3']);
});

test('a disk that failed is not written to any more', async (t) => {
  const { store, heard, timers, write, sequences } = setting();
  write(1);
  await store.answer(fail(failed));
  write(2);
  t.deepEqual(heard, ['failed']);
  t.deepEqual(sequences(), [[1]]);
  t.deepEqual(timers, []);
});

test('to stop is to wait for the write under way', async (t) => {
  const { store, heard, write, writer, sequences } = setting();
  write(1);
  write(2);
  const stopped = writer.stop();
  await store.answer(ok(undefined));
  await stopped;
  t.deepEqual(heard, ['durable 1']);
  t.deepEqual(sequences(), [[1]]);
});
