import test from 'ava';
import { answered, get, put, remove } from '../../linearizability/key-value.ts';
import type { Trace, WatchedEvent } from './trace.ts';
import { type Content, problemsOf } from './verdict.ts';

function event(revision: number, kind: 'put' | 'delete', value: string, version = 1): WatchedEvent {
  return { key: 'k', kind, value, revision, version: kind === 'put' ? version : 0, at: revision };
}

/** One client that writes, writes again, deletes and reads; a write of unknown outcome happened. */
const good: Trace = {
  history: [
    {
      process: 1,
      invoked: 0,
      returned: 2,
      input: put('k', 'a'),
      output: answered(2, [{ kind: 'put' }]),
    },
    { process: 2, invoked: 1, returned: null, input: put('k', 'b'), output: null },
    {
      process: 1,
      invoked: 5,
      returned: 6,
      input: remove('k'),
      output: answered(4, [{ kind: 'delete', deleted: 1 }]),
    },
    {
      process: 1,
      invoked: 7,
      returned: 8,
      input: get('k'),
      output: answered(4, [{ kind: 'get', found: null }]),
    },
    {
      process: 1,
      invoked: 9,
      returned: 10,
      input: put('k', 'c'),
      output: answered(5, [{ kind: 'put' }]),
    },
  ],
  refused: new Set(['d']),
  watched: [
    event(2, 'put', 'a'),
    event(3, 'put', 'b', 2),
    event(4, 'delete', ''),
    event(5, 'put', 'c'),
  ],
  watchProblems: [],
  leases: [],
};

const held: ReadonlyMap<string, Content> = new Map([['m0', new Map([['k', 'c']])]]);

const lease = { key: 'l', ttl: 2000, renewed: 1000 };

function leaseEnds(at: number): readonly WatchedEvent[] {
  return [
    ...good.watched,
    { ...event(6, 'put', 'l'), key: 'l' },
    { ...event(7, 'delete', ''), key: 'l', at },
  ];
}

test('a trace of a store that keeps its promises has no problem', (t) => {
  t.deepEqual(problemsOf(good, held), []);
  t.deepEqual(problemsOf({ ...good, watched: leaseEnds(3100), leases: [lease] }, held), []);
});

const bad: readonly (readonly [string, Partial<Trace>, RegExp])[] = [
  [
    'an acknowledged write that no watch saw',
    { watched: good.watched.slice(0, 3) },
    /"c" was acknowledged as k@5/,
  ],
  [
    'a change that a watch skips',
    { watched: good.watched.filter((_, at) => at !== 0) },
    /version 2 of k at 3 after 0/,
  ],
  ['changes out of order', { watched: good.watched.toReversed() }, /the watch told of 4 after 5/],
  [
    'a write that took effect twice',
    { watched: [...good.watched, event(6, 'put', 'c', 2)] },
    /"c" was written twice/,
  ],
  [
    'a refused write that took effect',
    { watched: [...good.watched, event(6, 'put', 'd', 2)] },
    /"d" was refused, and written/,
  ],
  ['what the watcher found', { watchProblems: ['cancelled'] }, /cancelled/],
  [
    'a lease that ends early',
    { watched: leaseEnds(2900), leases: [lease] },
    /ended after 1900 ms of 2000/,
  ],
  ['a lease that never ends', { leases: [lease] }, /lease of l never ended/],
  [
    'a read of the past',
    {
      history: good.history.map((operation) =>
        operation.invoked === 7
          ? { ...operation, output: answered(4, [{ kind: 'get', found: { value: 'a', mod: 2 } }]) }
          : operation,
      ),
    },
    /no order explains/,
  ],
];

for (const [what, change, expected] of bad)
  test(`a trace shows ${what}`, (t) => {
    t.regex(problemsOf({ ...good, ...change }, held).join('\n'), expected);
  });

test('a trace shows a member that ends with something else', (t) => {
  const lost = new Map([...held, ['m1', new Map<string, string>()]]);
  t.deepEqual(problemsOf(good, lost), ['at the end k is "undefined" at m1, not "c"']);
});
