import test from 'ava';
import { storeBounds } from './bounds.ts';
import type { ByteString } from './byte-string.ts';
import { encodeCommand } from './command-codec.ts';
import { Store } from './store.ts';
import type { LeaseId, Revision } from './version.ts';
import type { Watcher } from './watch-hub.ts';

const all = { kind: 'span', from: '\0' as ByteString, to: null } as const;

function put(store: Store, key: string, value = ''): void {
  const request = { withPrevious: false, ignoreValue: false, ignoreLease: false };
  store.apply(
    1,
    encodeCommand({
      kind: 'put',
      key: key as ByteString,
      value: value as ByteString,
      lease: 0n as LeaseId,
      ...request,
    }),
  );
}

function watchAll(store: Store, start: number, wake = () => {}): Watcher {
  return store.watches.open({
    range: all,
    start: start as Revision,
    puts: true,
    deletes: true,
    wake,
  });
}

/** Takes all there is; returns the revisions. */
function drain(store: Store, watcher: Watcher, limit = 100): number[] {
  const seen: number[] = [];
  for (;;) {
    const taken = store.watches.take(watcher, limit);
    if (taken.kind === 'compacted') return [...seen, -taken.compacted];
    seen.push(...taken.versions.map((version) => version.modRevision));
    if (!taken.more) return seen;
  }
}

const upTo = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('a watcher is woken when there is something, and not again before it has taken it', (t) => {
  const store = new Store();
  let woken = 0;
  const watcher = watchAll(store, 2, () => {
    woken += 1;
  });
  put(store, 'a');
  put(store, 'b');
  t.is(woken, 1);
  t.deepEqual(drain(store, watcher), [2, 3]);
  put(store, 'c');
  t.is(woken, 2);
  store.watches.close(watcher);
  put(store, 'd');
  t.is(woken, 2);
  t.deepEqual(drain(store, watcher), []);
});

test('a watcher that falls behind costs no memory, and misses nothing', (t) => {
  const store = new Store();
  const watcher = watchAll(store, 2);
  const last = 3 * storeBounds.watchPending;
  for (let revision = 2; revision <= last; revision += 1) put(store, `${revision % 10}`);
  t.false(store.watches.isCaughtUp(watcher));
  t.deepEqual(drain(store, watcher), upTo(2, last));
  t.true(store.watches.isCaughtUp(watcher));
  put(store, 'a');
  t.deepEqual(drain(store, watcher), [last + 1]);
});

test('a watcher whose store is replaced by a later snapshot gets what lies between', (t) => {
  const leader = new Store();
  const follower = new Store();
  const caughtUp = watchAll(follower, 2);
  const withPending = watchAll(follower, 2);
  const future = watchAll(follower, 8);
  let woken = 0;
  const oneKey = follower.watches.open({
    range: { kind: 'key', key: '1' as ByteString },
    start: 2 as Revision,
    puts: true,
    deletes: true,
    wake: () => {
      woken += 1;
    },
  });
  for (const store of [leader, follower]) for (const key of ['1', '2']) put(store, key);
  t.deepEqual(drain(follower, caughtUp), [2, 3]);
  for (const key of ['1', '2', '1', '2', '1', '2']) put(leader, key);
  t.true(follower.restore(leader.snapshot()).ok);
  put(follower, '1');
  t.deepEqual(drain(follower, caughtUp), upTo(4, 10));
  t.deepEqual(drain(follower, withPending), upTo(2, 10));
  t.deepEqual(drain(follower, future), upTo(8, 10));
  t.deepEqual(drain(follower, oneKey), [2, 4, 6, 8, 10]);
  t.true(woken >= 1);
});

test('a watcher that a snapshot leaves without its past is told where it could begin', (t) => {
  const leader = new Store();
  const follower = new Store();
  const watcher = watchAll(follower, 2);
  for (const store of [leader, follower]) put(store, 'a');
  t.deepEqual(drain(follower, watcher), [2]);
  for (const key of ['a', 'b', 'c', 'd']) put(leader, key);
  leader.apply(1, encodeCommand({ kind: 'compact', revision: 5 as Revision }));
  t.true(follower.restore(leader.snapshot()).ok);
  t.deepEqual(drain(follower, watcher), [-5]);
});

/** All keys at a revision, with the revisions of their last changes. */
function shown(store: Store, revision = 0): unknown[] {
  const any = 0 as Revision;
  const range = store.range({
    ...{ kind: 'range', range: all, limit: 0, revision: revision as Revision, sortTarget: 'key' },
    ...{ descending: false, keysOnly: false, countOnly: false },
    ...{ minModRevision: any, maxModRevision: any, minCreateRevision: any, maxCreateRevision: any },
  });
  return range.ok ? range.value.versions.map(({ key, modRevision }) => [key, modRevision]) : [];
}

test('who has seen what a restored store never had is told so, and all keys stay', (t) => {
  const saved = new Store();
  for (const key of ['a', 'b', 'a']) put(saved, key);
  const before = shown(saved);
  saved.leap(100);
  const restored = new Store();
  t.true(restored.restore(saved.snapshot()).ok);
  t.is(restored.revision as number, 104);
  for (const start of [2, 4, 50, 103]) {
    const watcher = watchAll(restored, start);
    t.deepEqual(drain(restored, watcher), [-104]);
  }
  const next = watchAll(restored, 105);
  put(restored, 'c');
  t.deepEqual(drain(restored, next), [105]);
  t.deepEqual(shown(restored, 104), before);
});

test('large changes are taken a few at a time', (t) => {
  const store = new Store();
  const live = watchAll(store, 2);
  const value = 'v'.repeat(300 * 1024);
  for (let count = 0; count < 9; count += 1) put(store, `${count}`, value);
  const again = watchAll(store, 2);
  for (const watcher of [live, again]) {
    const sizes: number[] = [];
    for (let more = true; more; ) {
      const taken = store.watches.take(watcher, 100);
      if (taken.kind === 'compacted') break;
      sizes.push(taken.versions.length);
      more = taken.more;
    }
    t.deepEqual(sizes, [4, 4, 1]);
  }
});

test('watchers of many ranges each get their own', (t) => {
  const store = new Store();
  const ranges = {
    'key a/1': { kind: 'key', key: 'a/1' },
    'prefix a/': { kind: 'span', from: 'a/', to: 'a0' },
    'prefix a/1': { kind: 'span', from: 'a/1', to: 'a/2' },
    'span a/15 to b': { kind: 'span', from: 'a/15', to: 'b' },
    'all from b': { kind: 'span', from: 'b', to: null },
    'prefix \xff': { kind: 'span', from: '\xff', to: null },
  } as const;
  const watchers = Object.entries(ranges).map(([name, range]) => {
    const request = { start: 1 as Revision, puts: true, deletes: true, wake: () => {} };
    const typed = range as Parameters<typeof store.watches.open>[0]['range'];
    return [name, store.watches.open({ ...request, range: typed })] as const;
  });
  for (const key of ['a/1', 'a/10', 'a/2', 'b', '\xff\xff']) put(store, key);
  const seen = watchers.map(([name, watcher]) => {
    const taken = store.watches.take(watcher, 100);
    return [name, taken.kind === 'changes' ? taken.versions.map(({ key }) => key).join() : ''];
  });
  t.deepEqual(Object.fromEntries(seen), {
    'key a/1': 'a/1',
    'prefix a/': 'a/1,a/10,a/2',
    'prefix a/1': 'a/1,a/10',
    'span a/15 to b': 'a/2',
    'all from b': 'b,\xff\xff',
    'prefix \xff': '\xff\xff',
  });
  for (const [, watcher] of watchers) store.watches.close(watcher);
  t.is(store.watches.size, 0);
});
