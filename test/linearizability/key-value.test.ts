import test from 'ava';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { explanationOf } from './checker.ts';
import {
  answered,
  compareAndSwap,
  get,
  type KeyReply,
  type KeyValueInput,
  type KeyValueOperation,
  type KeyValueOutput,
  put,
  remove,
  transaction,
} from './key-value.ts';
import { checkKeyValueHistory } from './key-value-history.ts';
import { randomHistory, spoilings } from './random-history.ts';

type Line = readonly [
  process: string,
  invoked: number,
  returned: number | null,
  input: KeyValueInput,
  output: KeyValueOutput | null,
];

function historyOf(lines: readonly Line[]): KeyValueOperation[] {
  return lines.map(([process, invoked, returned, input, output]) => ({
    process,
    invoked,
    returned,
    input,
    output,
  }));
}

const written = (revision: number | null = null): KeyValueOutput =>
  answered(revision, [{ kind: 'put' }]);
const deleted = (count: number): KeyValueOutput =>
  answered(null, [{ kind: 'delete', deleted: count }]);
const shows = (value: string | null, mod: number | null = null): KeyReply => ({
  kind: 'get',
  found: value === null ? null : { value, mod },
});
const read = (value: string | null, mod: number | null = null, revision: number | null = null) =>
  answered(revision, [shows(value, mod)]);
const refused = answered(null, [], false);

const good: Readonly<Record<string, readonly Line[]>> = {
  'a read sees the last write': [
    ['A', 0, 1, put('k', '1'), written(2)],
    ['A', 2, 3, put('k', '2'), written(3)],
    ['B', 4, 5, get('k'), read('2', 3, 3)],
  ],
  'concurrent reads see a write that is under way, or not': [
    ['A', 0, 10, put('k', '1'), written()],
    ['B', 1, 9, get('k'), read('1')],
    ['C', 2, 3, get('k'), read(null)],
  ],
  'a write without an answer takes effect much later': [
    ['A', 0, null, put('k', '1'), null],
    ['B', 1, 2, put('k', '2'), written(2)],
    ['B', 3, 4, get('k'), read('2', 2, 2)],
    ['B', 5, 6, get('k'), read('1', 3, 3)],
  ],
  'a write without an answer never takes effect': [
    ['A', 0, null, put('k', '1'), null],
    ['B', 1, 2, get('k'), read(null)],
    ['B', 100, 101, get('k'), read(null)],
  ],
  'a write without an answer explains why a swap was refused': [
    ['A', 0, 1, put('k', '1'), written(5)],
    ['B', 2, null, put('k', '1'), null],
    ['A', 3, 4, compareAndSwap('k', { mod: 5 }, '2'), refused],
    ['A', 5, 6, compareAndSwap('k', { mod: 6 }, '3'), written(7)],
  ],
  'a swap without an answer took effect': [
    ['A', 0, 1, put('k', '1'), written(5)],
    ['B', 2, null, compareAndSwap('k', { mod: 5 }, '2'), null],
    ['A', 3, 4, compareAndSwap('k', { mod: 5 }, '3'), refused],
    ['A', 5, 6, get('k'), read('2', 6)],
  ],
  'two keys swap their values in one transaction': [
    ['A', 0, 1, put('k', '1'), written(2)],
    ['A', 2, 3, put('l', '2'), written(3)],
    [
      'A',
      4,
      5,
      transaction(
        [
          { key: 'k', value: '1' },
          { key: 'l', mod: 3 },
        ],
        [
          { kind: 'put', key: 'k', value: '2' },
          { kind: 'put', key: 'l', value: '1' },
          { kind: 'get', key: 'k' },
        ],
      ),
      answered(4, [{ kind: 'put' }, { kind: 'put' }, shows('2', 4)]),
    ],
    ['B', 6, 7, get('l'), read('1', 4, 4)],
  ],
  'a key that was deleted is not there': [
    ['A', 0, 1, put('k', '1'), written()],
    ['A', 2, 3, remove('k'), deleted(1)],
    ['B', 3, 4, remove('k'), deleted(0)],
    ['B', 5, 6, get('k'), read(null)],
    ['B', 7, 8, compareAndSwap('k', { mod: 0 }, '2'), written()],
  ],
};

for (const [title, lines] of Object.entries(good))
  test(`accepted: ${title}`, (t) => {
    const verdict = checkKeyValueHistory(historyOf(lines));
    t.is(verdict.kind, 'linearizable', explanationOf(verdict));
  });

const bad: Readonly<Record<string, readonly Line[]>> = {
  'a stale read': [
    ['A', 0, 1, put('k', '1'), written()],
    ['A', 2, 3, put('k', '2'), written()],
    ['B', 4, 5, get('k'), read('1')],
  ],
  'a lost write': [
    ['A', 0, 1, put('k', '1'), written()],
    ['B', 2, 3, get('k'), read(null)],
  ],
  'a write that took effect twice': [
    ['A', 0, 1, put('k', '1'), written()],
    ['B', 2, 3, put('k', '2'), written()],
    ['B', 4, 5, get('k'), read('2')],
    ['B', 6, 7, get('k'), read('1')],
  ],
  'a write without an answer that took effect twice': [
    ['A', 0, null, put('k', '1'), null],
    ['B', 1, 2, get('k'), read('1')],
    ['B', 3, 4, put('k', '2'), written()],
    ['B', 5, 6, get('k'), read('1')],
  ],
  'a refused write that took effect': [['B', 2, 3, get('k'), read('1')]],
  'a read from the future': [
    ['B', 0, 1, get('k'), read('1')],
    ['A', 2, 3, put('k', '1'), written()],
  ],
  'reads that go back': [
    ['A', 0, 10, put('k', '1'), written()],
    ['B', 1, 2, get('k'), read('1')],
    ['C', 3, 4, get('k'), read(null)],
  ],
  'two swaps of one revision': [
    ['A', 0, 1, put('k', '1'), written(2)],
    ['A', 2, 9, compareAndSwap('k', { mod: 2 }, '2'), written(3)],
    ['B', 3, 8, compareAndSwap('k', { mod: 2 }, '3'), written(4)],
  ],
  'a swap that was refused for no reason': [
    ['A', 0, 1, put('k', '1'), written(2)],
    ['A', 2, 3, compareAndSwap('k', { value: '1' }, '2'), refused],
  ],
  'a transaction of which half took effect': [
    [
      'A',
      0,
      1,
      transaction(
        [],
        [
          { kind: 'put', key: 'k', value: '1' },
          { kind: 'put', key: 'l', value: '1' },
        ],
      ),
      answered(2, [{ kind: 'put' }, { kind: 'put' }]),
    ],
    ['B', 2, 3, get('k'), read('1', 2)],
    ['B', 4, 5, get('l'), read(null)],
  ],
  'a deletion of what is not there': [['A', 0, 1, remove('k'), deleted(1)]],
  'a revision that goes back over two keys': [
    ['A', 0, 1, put('k', '1'), written(9)],
    ['B', 2, 3, put('l', '1'), written(8)],
  ],
  'two writes at one revision': [
    ['A', 0, 9, put('k', '1'), written(9)],
    ['B', 1, 8, put('l', '1'), written(9)],
  ],
  'a read of an older store': [
    ['A', 0, 1, put('k', '1'), written(9)],
    ['B', 2, 3, get('l'), read(null, null, 8)],
  ],
  'a key of a revision that nobody wrote': [
    ['A', 0, 1, put('k', '1'), written(9)],
    ['B', 2, 3, get('k'), read('1', 8, 9)],
  ],
  'a write without an answer after a later write was seen': [
    ['A', 0, null, put('k', '1'), null],
    ['B', 1, 2, put('k', '2'), written(9)],
    ['B', 3, 4, get('k'), read('1', 8, 10)],
  ],
};

for (const [title, lines] of Object.entries(bad))
  test(`refused: ${title}`, (t) => {
    const verdict = checkKeyValueHistory(historyOf(lines));
    t.is(verdict.kind, 'not-linearizable');
    t.regex(explanationOf(verdict), /no order explains|does not rise|two writes have one/);
  });

test('an explanation tells who read what, and what no order explains', (t) => {
  const verdict = checkKeyValueHistory(historyOf(bad['a stale read'] ?? []));
  t.is(
    explanationOf(verdict),
    [
      'no order explains these 3 operations:',
      '  A: put k=1 [0, 1]',
      '  A: put k=2 [2, 3]',
      '  B: get k -> 1 [4, 5]',
      'after put k=1, then put k=2 there is no place for get k -> 1',
    ].join('\n'),
  );
});

const shapes = fc.record({
  operations: fc.integer({ min: 1, max: 120 }),
  keys: fc.integer({ min: 1, max: 4 }),
  concurrency: fc.integer({ min: 1, max: 8 }),
  unknown: fc.constantFrom(0, 0.02, 0.1),
  revisions: fc.boolean(),
});

test('whatever order operations were done in, the history of it is accepted', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), shapes, (seed, shape) => {
      const verdict = checkKeyValueHistory(randomHistory(seededRandom(seed), shape));
      if (verdict.kind !== 'linearizable') throw new Error(explanationOf(verdict));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

for (const [title, spoil] of Object.entries(spoilings))
  test(`whatever the history, it is refused once ${title}`, (t) => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), shapes, (seed, shape) => {
        const random = seededRandom(seed);
        const history = randomHistory(random, { ...shape, unknown: 0, revisions: true });
        return checkKeyValueHistory(spoil(random, history)).kind === 'not-linearizable';
      }),
      { numRuns: 150 },
    );
    t.pass();
  });
