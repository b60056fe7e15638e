import test from 'ava';
import { storeBounds } from './bounds.ts';
import { emptyBytes, textBytes } from './byte-string.ts';
import { encodeCommand } from './command-codec.ts';
import type { PutRequest, RangeRequest } from './request.ts';
import { Store } from './store.ts';
import { noLease, type Revision } from './version.ts';

const keys = 1_000_000;

const value = textBytes('v'.repeat(64));

function put(number: number): PutRequest {
  return {
    kind: 'put',
    key: textBytes(`/flotilla/vm/${String(number).padStart(8, '0')}`),
    value,
    lease: noLease,
    withPrevious: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}

function all(change: Partial<RangeRequest>): RangeRequest {
  const any = 0 as Revision;
  return {
    kind: 'range',
    range: { kind: 'span', from: emptyBytes, to: null },
    limit: 0,
    revision: any,
    sortTarget: 'key',
    descending: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: any,
    maxModRevision: any,
    minCreateRevision: any,
    maxCreateRevision: any,
    ...change,
  };
}

function heapUsed(): number {
  return process.memoryUsage().heapUsed;
}

test('a store holds a million keys in the memory that it says, and a snapshot holds them all', (t) => {
  const store = new Store();
  const before = heapUsed();
  for (let next = 0; next < keys; ) {
    const success = Array.from({ length: storeBounds.txnOperations }, (_, i) => next + i)
      .filter((number) => number < keys)
      .map(put);
    const txn = { kind: 'txn', compares: [], success, failure: [] } as const;
    t.true(store.apply(0, encodeCommand(txn)).ok);
    next += success.length;
  }
  t.true(
    heapUsed() - before < 1.5 * store.size,
    'what is stated is what it costs, and some garbage',
  );
  const counted = store.range(all({ countOnly: true }));
  t.is(counted.ok ? counted.value.count : 0, keys);
  const last = store.range(all({ limit: 3, descending: true }));
  t.deepEqual(
    last.ok ? last.value.versions.map(({ key }) => key) : [],
    [1, 2, 3].map((back) => put(keys - back).key),
  );
  const copy = new Store();
  t.deepEqual(copy.restore(store.snapshot()), { ok: true, value: undefined });
  const copied = copy.range(all({ countOnly: true }));
  t.is(copied.ok ? copied.value.count : 0, keys);
  t.is(copy.size, store.size);
  t.is(copy.revision, store.revision);
});
