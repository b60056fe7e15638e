import test from 'ava';
import { closeNames, distance } from './close-names.ts';

test('the distance counts letters put in, left out, changed and swapped', (t) => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['web', 'web', 0],
    ['web', 'wb', 1],
    ['web', 'wbe', 1],
    ['web', 'wen', 1],
    ['', 'web', 3],
    ['web', 'db', 2],
  ];
  for (const [a, b, expected] of cases) {
    t.is(distance(a, b), expected, `${a} ${b}`);
    t.is(distance(b, a), expected, `${b} ${a}`);
  }
});

test('close names come with the closest first, and no more than three', (t) => {
  t.deepEqual(closeNames('web-1', ['db', 'web-2', 'web-1a', 'wbe-1', 'web-11']), [
    'wbe-1',
    'web-11',
    'web-1a',
  ]);
});

test('a beginning is close to what it begins; a stranger is not', (t) => {
  t.deepEqual(closeNames('data', ['database-main', 'mail']), ['database-main']);
  t.deepEqual(closeNames('x', ['alpha', 'beta']), []);
});
