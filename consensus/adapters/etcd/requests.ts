import { fail, ok } from '../../../base/result.ts';
import type {
  DeleteRangeRequest,
  RangeRequest_SortTarget,
  RequestOp,
  Compare as WireCompare,
  PutRequest as WirePut,
  RangeRequest as WireRange,
  TxnRequest as WireTxn,
} from '../../../proto/gen/etcdserverpb.ts';
import { byteString } from '../../kv/byte-string.ts';
import { keyRange } from '../../kv/key-range.ts';
import type {
  Compare,
  CompareOperator,
  DeleteRequest,
  Operation,
  PutRequest,
  RangeRequest,
  SortTarget,
  TxnRequest,
} from '../../kv/request.ts';
import { type LeaseId, noLease, type Revision } from '../../kv/version.ts';
import { failures, type Served } from './failures.ts';

/** etcd's messages in the store's words. What has no counterpart there is refused. */

const sortTargets: Readonly<Record<RangeRequest_SortTarget, SortTarget>> = {
  KEY: 'key',
  VERSION: 'version',
  CREATE: 'create',
  MOD: 'mod',
  VALUE: 'value',
};

const operators: Readonly<Record<WireCompare['result'], CompareOperator>> = {
  EQUAL: 'equal',
  GREATER: 'greater',
  LESS: 'less',
  NOT_EQUAL: 'not-equal',
};

/**
 * A 64-bit number of a request as one that the store can hold. What lies beyond 2^53 is beyond all
 * revisions, counts and times that there will be: the nearest one means the same.
 */
export function wholeNumber(value: bigint): number {
  if (value >= BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  return value <= 0n ? 0 : Number(value);
}

/** A revision of a request; less than 0 means the same as 0. */
export function revision(value: bigint): Revision {
  return wholeNumber(value) as Revision;
}

/** An upper bound; one below 0 leaves everything out, as 1 does, at which nothing was written. */
function highest(value: bigint): Revision {
  return value < 0n ? (1 as Revision) : revision(value);
}

export function rangeRequest(wire: WireRange): Served<RangeRequest> {
  // An enum value that this version does not know is decoded as its number.
  const sortTarget: SortTarget | undefined = sortTargets[wire.sortTarget];
  const isKnownOrder = ['NONE', 'ASCEND', 'DESCEND'].includes(wire.sortOrder);
  if (sortTarget === undefined || !isKnownOrder) return fail(failures.invalidSort);
  return ok({
    kind: 'range',
    range: keyRange(byteString(wire.key), byteString(wire.rangeEnd)),
    limit: wholeNumber(wire.limit),
    revision: revision(wire.revision),
    sortTarget,
    descending: wire.sortOrder === 'DESCEND',
    keysOnly: wire.keysOnly,
    countOnly: wire.countOnly,
    minModRevision: revision(wire.minModRevision),
    maxModRevision: highest(wire.maxModRevision),
    minCreateRevision: revision(wire.minCreateRevision),
    maxCreateRevision: highest(wire.maxCreateRevision),
  });
}

export function putRequest(wire: WirePut): PutRequest {
  return {
    kind: 'put',
    key: byteString(wire.key),
    value: byteString(wire.value),
    lease: wire.lease as LeaseId,
    withPrevious: wire.prevKv,
    ignoreValue: wire.ignoreValue,
    ignoreLease: wire.ignoreLease,
  };
}

export function deleteRequest(wire: DeleteRangeRequest): DeleteRequest {
  return {
    kind: 'delete',
    range: keyRange(byteString(wire.key), byteString(wire.rangeEnd)),
    withPrevious: wire.prevKv,
  };
}

export function txnRequest(wire: WireTxn): Served<TxnRequest> {
  const compares = all(wire.compare, compare);
  if (!compares.ok) return compares;
  const success = all(wire.success, operation);
  if (!success.ok) return success;
  const failure = all(wire.failure, operation);
  if (!failure.ok) return failure;
  return ok({
    kind: 'txn',
    compares: compares.value,
    success: success.value,
    failure: failure.value,
  });
}

/**
 * Whether a transaction says that all it reads may be read without asking the other members. One
 * that only compares does not say so.
 */
export function isSerializable(wire: WireTxn): boolean {
  const operations = [...wire.success, ...wire.failure];
  if (operations.length === 0) return false;
  return operations.every(
    ({ requestRange, requestTxn }) =>
      requestRange?.serializable === true ||
      (requestTxn !== undefined && isSerializable(requestTxn)),
  );
}

function operation(wire: RequestOp): Served<Operation> {
  if (wire.requestPut !== undefined) return ok(putRequest(wire.requestPut));
  if (wire.requestRange !== undefined) return rangeRequest(wire.requestRange);
  if (wire.requestDeleteRange !== undefined) return ok(deleteRequest(wire.requestDeleteRange));
  return wire.requestTxn === undefined
    ? fail(failures.emptyOperation)
    : txnRequest(wire.requestTxn);
}

function compare(wire: WireCompare): Served<Compare> {
  const operator: CompareOperator | undefined = operators[wire.result];
  const operand = compareOperand(wire);
  if (operator === undefined || operand === null) return fail(failures.invalidCompare);
  const range = keyRange(byteString(wire.key), byteString(wire.rangeEnd));
  return ok({ range, operator, operand });
}

/** What is left out of a compare is zero, or no bytes. */
function compareOperand(wire: WireCompare): Compare['operand'] | null {
  switch (wire.target) {
    case 'VERSION':
      return { target: 'version', number: signed(wire.version) };
    case 'CREATE':
      return { target: 'create', number: signed(wire.createRevision) };
    case 'MOD':
      return { target: 'mod', number: signed(wire.modRevision) };
    case 'VALUE':
      return { target: 'value', value: byteString(wire.value ?? new Uint8Array()) };
    case 'LEASE':
      return { target: 'lease', lease: (wire.lease as LeaseId | undefined) ?? noLease };
    default:
      return null;
  }
}

/** A number to compare with; it may be negative, and what is beyond 2^53 stays beyond. */
function signed(value: bigint | undefined): number {
  if (value === undefined) return 0;
  return value < 0n ? -wholeNumber(-value) : wholeNumber(value);
}

function all<Wire, Item>(
  wires: readonly Wire[],
  read: (wire: Wire) => Served<Item>,
): Served<Item[]> {
  const items: Item[] = [];
  for (const wire of wires) {
    const item = read(wire);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return ok(items);
}
