import type { ByteString } from '../../../consensus/kv/byte-string.ts';
import type { KeyRange } from '../../../consensus/kv/key-range.ts';
import type {
  Compare,
  DeleteRequest,
  Operation,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from '../../../consensus/kv/request.ts';
import { type LeaseId, noLease, type Revision } from '../../../consensus/kv/version.ts';
import type { KeyCompare, KeyOperation, KeyValueInput } from '../../linearizability/key-value.ts';

/** The requests of the store that simulated clients make, in the store's own words. */

/** All keys. */
export const everyKey: KeyRange = { kind: 'span', from: '\0' as ByteString, to: null };

/** One key. */
export function oneKey(key: string): KeyRange {
  return { kind: 'key', key: key as ByteString };
}

/** Reads a range, now or at an earlier revision. */
export function rangeOf(range: KeyRange, revision = 0): RangeRequest {
  const none = 0 as Revision;
  return {
    kind: 'range',
    range,
    limit: 0,
    revision: revision as Revision,
    sortTarget: 'key',
    descending: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: none,
    maxModRevision: none,
    minCreateRevision: none,
    maxCreateRevision: none,
  };
}

/** Writes a key. */
export function putOf(key: string, value: string, lease: LeaseId = noLease): PutRequest {
  return {
    kind: 'put',
    key: key as ByteString,
    value: value as ByteString,
    lease,
    withPrevious: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}

/** A request of the checker's model as a transaction. */
export function txnOf({ compares, success, failure }: KeyValueInput): TxnRequest {
  return {
    kind: 'txn',
    compares: compares.map(compareOf),
    success: success.map(operationOf),
    failure: failure.map(operationOf),
  };
}

function compareOf(compare: KeyCompare): Compare {
  const operand: Compare['operand'] =
    'mod' in compare
      ? { target: 'mod', number: compare.mod }
      : { target: 'value', value: compare.value as ByteString };
  return { range: oneKey(compare.key), operator: 'equal', operand };
}

/** One operation of the checker's model. */
export function operationOf(operation: KeyOperation): Exclude<Operation, TxnRequest> {
  switch (operation.kind) {
    case 'get':
      return rangeOf(oneKey(operation.key));
    case 'put':
      return putOf(operation.key, operation.value);
    case 'delete':
      return deleteOf(operation.key);
  }
}

function deleteOf(key: string): DeleteRequest {
  return { kind: 'delete', range: oneKey(key), withPrevious: false };
}
