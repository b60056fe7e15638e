import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import { Repeats } from './repeats.ts';

test('the same is told once in a while, and a flood of different things is cut off', (t) => {
  let now = 0;
  const repeats = new Repeats(milliseconds(100), () => now);
  t.true(repeats.isNews('a'));
  now = 50;
  t.false(repeats.isNews('a'));
  t.true(repeats.isNews('b'));
  now = 100;
  t.true(repeats.isNews('a'));
  t.false(repeats.isNews('b'));
  let told = 0;
  for (let count = 0; count < 5000; count += 1) if (repeats.isNews(`flood ${count}`)) told += 1;
  t.is(told, 998);
  now = 200;
  t.true(repeats.isNews('c'));
});
