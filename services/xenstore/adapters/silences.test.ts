import test from 'ava';
import { milliseconds } from '../../../base/units.ts';
import { Silences } from './silences.ts';

test('each thing is told of once, until its silence is over', (t) => {
  const silences = new Silences<string>(milliseconds(600_000));
  t.deepEqual(
    ['a', 'b', 'a', 'b'].map((key) => silences.tells(key)),
    [true, true, false, false],
  );
  const none = new Silences<string>(milliseconds(0));
  t.true(none.tells('a'));
  t.true(none.tells('a'));
});

test('of many things the oldest are told of again', (t) => {
  const silences = new Silences<number>(milliseconds(600_000));
  for (let key = 0; key < 1025; key += 1) t.true(silences.tells(key));
  t.false(silences.tells(1));
  t.true(silences.tells(0));
});
