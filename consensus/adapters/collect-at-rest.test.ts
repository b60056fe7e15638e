import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { bytes } from '../../base/units.ts';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { collectAtRest, thisProcess } from './collect-at-rest.ts';

/** A process of which a test says what it does, and a list of what was collected. */
function pretended({ used = 100 * 2 ** 20, alive = 40 * 2 ** 20, store = 20 * 2 ** 20 } = {}) {
  const clock = new ManualClock();
  const collected: string[] = [];
  let done = 0;
  const stop = collectAtRest(clock, {
    operations: () => done,
    heapUsed: () => bytes(collected.length === 0 ? used : alive),
    storeSize: () => bytes(store),
    collect: (thorough) => collected.push(thorough ? 'thorough' : 'plain'),
  });
  /** Lets a second pass in which so much was done. */
  const second = async (operations: number) => {
    done += operations;
    await clock.jump(1000);
  };
  /** Lets it rest for so many seconds. */
  const rest = async (seconds: number) => {
    for (let time = 0; time < seconds; time += 1) await second(3);
  };
  return { collected, second, rest, stop };
}

test('after a busy time, a process at rest collects what it has left, once', async (t) => {
  const { collected, second, rest } = pretended();
  for (const operations of [5000, 200]) await second(operations);
  await rest(30);
  t.deepEqual(collected, ['plain']);
  await rest(1);
  t.deepEqual(collected, ['plain', 'thorough']);
  await rest(30);
  await second(50);
  await rest(60);
  t.is(collected.length, 2, 'nothing happened that would leave much');
  await second(500);
  await rest(40);
  t.is(collected.length, 4);
});

test('a pause between two busy times is no rest', async (t) => {
  const { collected, second, rest } = pretended();
  for (let time = 0; time < 10; time += 1) {
    await second(5000);
    await rest(29);
  }
  t.deepEqual(collected, []);
});

test('a process that is busy again is not stopped for long', async (t) => {
  const { collected, second, rest } = pretended();
  await second(5000);
  await rest(30);
  for (const operations of [5000, 5000]) await second(operations);
  t.deepEqual(collected, ['plain']);
});

test('a heap with much alive in it is not collected thoroughly, and that of a large store not at all', async (t) => {
  const full = pretended({ alive: 90 * 2 ** 20 });
  const large = pretended({ store: 500 * 2 ** 20 });
  const littered = pretended({ used: 500 * 2 ** 20 });
  for (const process of [full, large, littered]) {
    await process.second(5000);
    await process.rest(40);
  }
  t.deepEqual([full.collected, large.collected], [['plain'], []]);
  t.deepEqual(littered.collected, ['plain', 'thorough'], 'garbage takes no time');
});

test('once it is stopped nothing is collected', async (t) => {
  const { collected, second, rest, stop } = pretended();
  await second(5000);
  stop();
  await rest(40);
  t.deepEqual(collected, []);
});

test('a process collects although Node was started with no flag for it', async (t) => {
  t.false(process.execArgv.includes('--expose-gc'));
  const left = new WeakRef({ content: new Uint8Array(1000) });
  // What was just made is alive until the turn's end.
  await sleep(1);
  thisProcess.collect(false);
  t.is(left.deref(), undefined);
});
