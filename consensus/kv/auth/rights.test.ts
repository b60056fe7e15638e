import test from 'ava';
import type { ByteString } from '../byte-string.ts';
import type { KeyRange } from '../key-range.ts';
import type { Operation, PutRequest, RangeRequest, TxnRequest } from '../request.ts';
import type { LeaseId, Revision } from '../version.ts';
import type { Access } from './permission.ts';
import { type Demand, demandOf, isAllowed, rightsOf } from './rights.ts';

const bytes = (text: string) => text as ByteString;
const keyOf = (name: string): KeyRange => ({ kind: 'key', key: bytes(name) });
const zero = 0 as Revision;

function range(name: string): RangeRequest {
  return {
    ...{ kind: 'range', range: keyOf(name), limit: 0, revision: zero, sortTarget: 'key' },
    ...{ descending: false, keysOnly: false, countOnly: false },
    ...{ minModRevision: zero, maxModRevision: zero },
    ...{ minCreateRevision: zero, maxCreateRevision: zero },
  } as const;
}

function put(name: string, change: Partial<PutRequest> = {}): PutRequest {
  return {
    ...{ kind: 'put', key: bytes(name), value: bytes(''), lease: 0n as LeaseId },
    ...{ withPrevious: false, ignoreValue: false, ignoreLease: false },
    ...change,
  } as const;
}

function txn(parts: Partial<TxnRequest>): TxnRequest {
  return { kind: 'txn', compares: [], success: [], failure: [], ...parts };
}

const compare = (name: string) =>
  ({ range: keyOf(name), operator: 'equal', operand: { target: 'version', number: 0 } }) as const;

/** May read `r`, write `w`, and both with `b`; lease 1 has `w`, lease 2 has `w` and `r`. */
const rights = rightsOf(
  bytes('ann'),
  new Set([bytes('role')]),
  (
    [
      ['read', 'r'],
      ['write', 'w'],
      ['readwrite', 'b'],
    ] as const
  ).map(([access, name]) => ({ access: access as Access, range: keyOf(name) })),
);
const keysOf = (id: LeaseId): ByteString[] =>
  id === 1n ? [bytes('w')] : id === 2n ? [bytes('w'), bytes('r')] : [];
const may = (demand: Demand) => isAllowed(rights, demand, keysOf);

test('reading and writing are rights of their own, and previous values need both', (t) => {
  t.deepEqual(
    ['r', 'w', 'b', 'x'].map((name) => may(range(name))),
    [true, false, true, false],
  );
  t.deepEqual(
    ['r', 'w', 'b', 'x'].map((name) => may(put(name))),
    [false, true, true, false],
  );
  t.false(may(put('w', { withPrevious: true })));
  t.true(may(put('b', { withPrevious: true })));
  const remove = (name: string, withPrevious: boolean) =>
    may({ kind: 'delete', range: keyOf(name), withPrevious });
  t.deepEqual([remove('w', false), remove('w', true), remove('b', true)], [true, false, true]);
});

test('of a transaction every compare and both branches count, nested ones too', (t) => {
  const deep = (operation: Operation) =>
    txn({ failure: [txn({ success: [operation] }), range('r')] });
  t.true(may(txn({ compares: [compare('r')], success: [put('w')], failure: [range('b')] })));
  t.false(may(txn({ compares: [compare('r'), compare('w')] })));
  t.false(may(txn({ success: [put('w'), put('r')] })));
  t.false(may(txn({ failure: [range('x')] })));
  t.true(may(deep(put('w'))));
  t.false(may(deep(put('x'))));
  t.false(may(txn({ success: [txn({ compares: [compare('x')] })] })));
});

test('a key is attached to a lease, and a lease is ended, by who may write all of its keys', (t) => {
  const attached = (id: bigint) => put('b', { lease: id as LeaseId });
  t.true(may(attached(1n)));
  t.false(may(attached(2n)));
  t.false(may(txn({ success: [attached(2n)] })));
  t.true(may({ kind: 'lease-write', id: 1n as LeaseId }));
  t.false(may({ kind: 'lease-write', id: 2n as LeaseId }));
  t.true(may({ kind: 'lease-write', id: 9n as LeaseId }), 'one that has no keys, by anybody');
  t.false(may({ kind: 'lease-read', id: 1n as LeaseId }));
  t.true(may({ kind: 'grant' }));
});

test('a user sees itself and its roles, and only root does what is about all', (t) => {
  t.true(may({ kind: 'look-at-user', user: bytes('ann') }));
  t.false(may({ kind: 'look-at-user', user: bytes('bob') }));
  t.true(may({ kind: 'look-at-role', role: bytes('role') }));
  t.false(may({ kind: 'look-at-role', role: bytes('other') }));
  t.false(may(demandOf({ kind: 'compact', revision: zero })));
  const root = rightsOf(bytes('op'), new Set([bytes('root')]), []);
  for (const demand of [range('x'), put('x'), demandOf({ kind: 'compact', revision: zero })])
    t.true(isAllowed(root, demand, keysOf));
});
