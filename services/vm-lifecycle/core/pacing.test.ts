import test from 'ava';
import { Pacing } from './pacing.ts';

test('the first action is at once, the next ones wait longer and longer, up to a minute', (t) => {
  const pacing = new Pacing();
  const pauses: number[] = [];
  let now = 5_000;
  for (let round = 0; round < 9; round += 1) {
    t.is(pacing.waitFor('web', now), 0);
    pacing.note('web', now);
    const pause = pacing.waitFor('web', now);
    pauses.push(pause);
    now += pause;
  }
  t.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('subjects do not wait for one another', (t) => {
  const pacing = new Pacing();
  pacing.note('web', 0);
  t.is(pacing.waitFor('db', 0), 0);
  t.is(pacing.waitFor('web', 400), 600);
});

test('a subject that was left alone for a minute starts afresh', (t) => {
  const pacing = new Pacing();
  pacing.note('web', 0);
  pacing.note('web', 1_000);
  t.is(pacing.waitFor('web', 1_000), 2_000);
  pacing.note('web', 64_000);
  t.is(pacing.waitFor('web', 64_000), 1_000);
});
