import fc from 'fast-check';
import type { Input } from '../../proto/codec.ts';
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../proto/gen/etcdserverpb.ts';

/** A call of etcd's API, any that depends on what is stored alone. */
export type Call =
  | { readonly kind: 'range'; readonly request: Input<RangeRequest> }
  | { readonly kind: 'put'; readonly request: Input<PutRequest> }
  | { readonly kind: 'deleteRange'; readonly request: Input<DeleteRangeRequest> }
  | { readonly kind: 'txn'; readonly request: Input<TxnRequest> }
  | { readonly kind: 'compact'; readonly request: { revision: bigint; physical: boolean } }
  | { readonly kind: 'leaseGrant'; readonly request: { ID: bigint; TTL: bigint } }
  | { readonly kind: 'leaseRevoke'; readonly request: { ID: bigint } }
  | { readonly kind: 'leaseTimeToLive'; readonly request: { ID: bigint; keys: boolean } }
  | { readonly kind: 'leaseLeases'; readonly request: object }
  | { readonly kind: 'hashKV'; readonly request: { revision: bigint } };

const bytes = (text: string) => Buffer.from(text, 'latin1');
const keyOf = fc.constantFrom('a', 'b', 'ba', 'c', 'd\0', '\xff', '').map(bytes);
const endOf = fc.constantFrom('', '', '\0', 'b', 'c', '\xff').map(bytes);
const contentOf = fc.constantFrom('', 'x', 'y\xff').map(bytes);
const leaseOf = fc.constantFrom(0n, 0n, 0n, 1n, 2n);
const flag = fc.boolean();
/** About as many revisions as the calls make, and some that are none. */
const revisionOf = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0n) },
  fc.bigInt({ min: 0n, max: 400n }),
  fc.constantFrom(-1n, 2n ** 62n),
);

/**
 * Sorted by something, without an order, and limited: there etcd takes the first keys, and sorts
 * those; the built-in database takes the first of what is sorted.
 */
function limitsBeforeItSorts({ limit, sortOrder, sortTarget }: Input<RangeRequest>): boolean {
  return sortOrder === 'NONE' && sortTarget !== 'KEY' && (limit ?? 0n) > 0n;
}

const rangeRequestOf: fc.Arbitrary<Input<RangeRequest>> = fc.record({
  key: keyOf,
  rangeEnd: endOf,
  limit: fc.constantFrom(0n, 0n, 1n, 2n, 100n),
  revision: revisionOf,
  sortOrder: fc.constantFrom('NONE' as const, 'ASCEND', 'DESCEND'),
  sortTarget: fc.constantFrom('KEY' as const, 'VERSION', 'CREATE', 'MOD', 'VALUE'),
  serializable: flag,
  keysOnly: flag,
  countOnly: fc.constantFrom(false, false, true),
  minModRevision: revisionOf,
  maxModRevision: revisionOf,
  minCreateRevision: revisionOf,
  maxCreateRevision: revisionOf,
});

const rangeOf = rangeRequestOf.filter((request) => !limitsBeforeItSorts(request));

const putOf: fc.Arbitrary<Input<PutRequest>> = fc.record({
  key: keyOf,
  value: contentOf,
  lease: leaseOf,
  prevKv: flag,
  ignoreValue: fc.constantFrom(false, false, false, true),
  ignoreLease: fc.constantFrom(false, false, false, true),
});

const deleteOf: fc.Arbitrary<Input<DeleteRangeRequest>> = fc.record({
  key: keyOf,
  rangeEnd: endOf,
  prevKv: flag,
});

/** Where a transaction deletes from a key on without an end, etcd does not see what it puts there. */
const boundedDeleteOf = deleteOf.filter(({ rangeEnd }) => rangeEnd?.[0] !== 0);

/** A revision below 0 is now, but in a transaction etcd takes it for a compacted one. */
const innerRangeOf = rangeOf.filter(({ revision }) => (revision ?? 0n) >= 0n);

const numberOf = fc.bigInt({ min: -1n, max: 20n });
const compareOf: fc.Arbitrary<Input<Compare>> = fc
  .record({
    result: fc.constantFrom('EQUAL' as const, 'GREATER', 'LESS', 'NOT_EQUAL'),
    key: keyOf,
    rangeEnd: endOf,
    operand: fc.oneof(
      fc.record({ target: fc.constant('VERSION' as const), version: numberOf }),
      fc.record({ target: fc.constant('CREATE' as const), createRevision: numberOf }),
      fc.record({ target: fc.constant('MOD' as const), modRevision: numberOf }),
      fc.record({ target: fc.constant('VALUE' as const), value: contentOf }),
      fc.record({ target: fc.constant('LEASE' as const), lease: leaseOf }),
    ),
  })
  .map(({ operand, ...rest }) => ({ ...rest, ...operand }));

/**
 * Of two nested transactions side by side, etcd lets the second delete what the first puts, but not
 * the other way round; the built-in database refuses both.
 */
function withOneTxn(operations: Input<RequestOp>[]): Input<RequestOp>[] {
  const first = operations.findIndex((each) => 'requestTxn' in each);
  return operations.filter((each, at) => !('requestTxn' in each) || at === first);
}

const { txn: txnOf } = fc.letrec<{ operation: Input<RequestOp>; txn: Input<TxnRequest> }>(
  (tie) => ({
    operation: fc.oneof(
      { maxDepth: 2 },
      putOf.map((requestPut) => ({ requestPut })),
      innerRangeOf.map((requestRange) => ({ requestRange })),
      boundedDeleteOf.map((requestDeleteRange) => ({ requestDeleteRange })),
      tie('txn').map((requestTxn) => ({ requestTxn: requestTxn as Input<TxnRequest> })),
    ),
    txn: fc.record({
      compare: fc.array(compareOf, { maxLength: 2 }),
      success: fc.array(tie('operation'), { maxLength: 3 }).map(withOneTxn),
      failure: fc.array(tie('operation'), { maxLength: 2 }).map(withOneTxn),
    }),
  }),
);

const leaseIdOf = fc.constantFrom(1n, 2n, 3n);

/** Any call; those that change keys are the most. */
export const callOf: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('range' as const), request: rangeOf }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), request: putOf }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('deleteRange' as const), request: deleteOf }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('txn' as const), request: txnOf }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      request: fc.record({ revision: fc.bigInt({ min: 1n, max: 400n }), physical: flag }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('leaseGrant' as const),
      request: fc.record({ ID: leaseIdOf, TTL: fc.constantFrom(600n, 600n, 9_000_000_001n) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('leaseRevoke' as const),
      request: fc.record({ ID: leaseIdOf }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('leaseTimeToLive' as const),
      request: fc.record({ ID: leaseIdOf, keys: flag }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('leaseLeases' as const),
      request: fc.constant({}),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('hashKV' as const),
      request: fc.record({ revision: fc.bigInt({ min: 0n, max: 400n }) }),
    }),
  },
);
