import test from 'ava';
import { bytes, milliseconds } from '../../base/units.ts';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { collectAtRest } from './collect-at-rest.ts';

/** A process of which a test says what it does, and a list of what was collected. */
function pretended({ used = 100 * 2 ** 20, alive = 40 * 2 ** 20, store = 20 * 2 ** 20 } = {}) {
  const clock = new ManualClock();
  const collected: string[] = [];
  let spent = 0;
  const stop = collectAtRest(clock, {
    processorTime: () => milliseconds(spent),
    heapUsed: () => bytes(collected.length === 0 ? used : alive),
    storeSize: () => bytes(store),
    collect: (thorough) => collected.push(thorough ? 'thorough' : 'plain'),
  });
  /** Lets a second pass in which so much of a processor was used. */
  const second = async (share: number) => {
    spent += share * 1000;
    await clock.jump(1000);
  };
  return { collected, second, stop };
}

test('after a busy time, a process at rest collects what it has left, once', async (t) => {
  const { collected, second } = pretended();
  for (const share of [0.9, 0.9, 0.02, 0.02, 0.5, 0.02, 0.02]) await second(share);
  t.deepEqual(collected, ['plain', 'thorough'], 'the second after a collection does not count');
  for (const share of [0.02, 0.02, 0.07, 0.02, 0.02]) await second(share);
  t.is(collected.length, 2, 'nothing happened that would leave much');
  for (const share of [0.5, 0.02, 0.02, 0.02, 0.02]) await second(share);
  t.is(collected.length, 4);
});

test('a process that is busy again is not stopped for long', async (t) => {
  const { collected, second } = pretended();
  for (const share of [0.9, 0.02, 0.02, 0.02, 0.9, 0.9]) await second(share);
  t.deepEqual(collected, ['plain']);
});

test('a heap with much alive in it is not collected thoroughly, and that of a large store not at all', async (t) => {
  const full = pretended({ alive: 90 * 2 ** 20 });
  const large = pretended({ store: 500 * 2 ** 20 });
  const littered = pretended({ used: 500 * 2 ** 20 });
  for (const share of [0.9, 0.02, 0.02, 0.02, 0.02, 0.02]) {
    await full.second(share);
    await large.second(share);
    await littered.second(share);
  }
  t.deepEqual([full.collected, large.collected], [['plain'], []]);
  t.deepEqual(littered.collected, ['plain', 'thorough'], 'garbage takes no time');
});

test('once it is stopped nothing is collected', async (t) => {
  const { collected, second, stop } = pretended();
  await second(0.9);
  stop();
  for (const share of [0.02, 0.02, 0.02]) await second(share);
  t.deepEqual(collected, []);
});
