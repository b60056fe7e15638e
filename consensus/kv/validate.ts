import { storeBounds } from './bounds.ts';
import type { ByteString } from './byte-string.ts';
import type { StoreFailure } from './failure.ts';
import { inRange, type KeyRange } from './key-range.ts';
import type { Operation, TxnRequest } from './request.ts';

/**
 * What is wrong with a request by itself, whatever is stored; null where nothing is. It is asked
 * before a request is proposed, so that the log holds no command that cannot ever succeed.
 */
export function validate(operation: Operation): StoreFailure | null {
  if (operation.kind !== 'txn') return validateAlone(operation, 0);
  if (countOperations(operation) > storeBounds.txnOperationsNested) return 'too-many-operations';
  const refusal = validateTxn(operation, storeBounds.txnOperations);
  if (refusal !== null) return refusal;
  return writesOfOperation(operation) === null ? 'duplicate-key' : null;
}

function validateAlone(operation: Operation, operationsLeft: number): StoreFailure | null {
  switch (operation.kind) {
    case 'range':
    case 'delete':
      return isEmptyKey(operation.range) ? 'empty-key' : null;
    case 'put':
      if (operation.key === '') return 'empty-key';
      if (operation.ignoreValue && operation.value !== '') return 'value-provided';
      return operation.ignoreLease && operation.lease !== 0n ? 'lease-provided' : null;
    case 'txn':
      return validateTxn(operation, operationsLeft);
  }
}

function countOperations(txn: TxnRequest): number {
  let count = 0;
  for (const operation of [...txn.success, ...txn.failure])
    count += operation.kind === 'txn' ? 1 + countOperations(operation) : 1;
  return count;
}

function isEmptyKey(range: KeyRange): boolean {
  return (range.kind === 'key' ? range.key : range.from) === '';
}

function validateTxn(txn: TxnRequest, operationsLeft: number): StoreFailure | null {
  const { compares, success, failure } = txn;
  const operations = Math.max(compares.length, success.length, failure.length);
  if (operations > operationsLeft) return 'too-many-operations';
  if (compares.some((compare) => isEmptyKey(compare.range))) return 'empty-key';
  for (const operation of [...success, ...failure]) {
    const refusal = validateAlone(operation, operationsLeft - operations);
    if (refusal !== null) return refusal;
  }
  return null;
}

interface Writes {
  readonly puts: ReadonlySet<ByteString>;
  readonly deletes: readonly KeyRange[];
}

/**
 * What a branch writes, or null where it would put one key twice, or put and delete it: then the
 * outcome would depend on an order that one revision cannot show. The branches of one nested
 * transaction exclude each other, so they may both write a key.
 */
function writesOf(branch: readonly Operation[]): Writes | null {
  const puts = new Set<ByteString>();
  const deletes: KeyRange[] = [];
  for (const operation of branch) {
    const writes = writesOfOperation(operation);
    if (writes === null || conflict({ puts, deletes }, writes)) return null;
    for (const key of writes.puts) puts.add(key);
    deletes.push(...writes.deletes);
  }
  return { puts, deletes };
}

const noWrites: Writes = { puts: new Set(), deletes: [] };

function writesOfOperation(operation: Operation): Writes | null {
  switch (operation.kind) {
    case 'range':
      return noWrites;
    case 'put':
      return { puts: new Set([operation.key]), deletes: [] };
    case 'delete':
      return { puts: new Set(), deletes: [operation.range] };
    case 'txn': {
      const success = writesOf(operation.success);
      const failure = writesOf(operation.failure);
      if (success === null || failure === null) return null;
      return {
        puts: new Set([...success.puts, ...failure.puts]),
        deletes: [...success.deletes, ...failure.deletes],
      };
    }
  }
}

function conflict(one: Writes, other: Writes): boolean {
  for (const key of other.puts) if (one.puts.has(key) || isDeleted(one, key)) return true;
  for (const key of one.puts) if (isDeleted(other, key)) return true;
  return false;
}

function isDeleted(writes: Writes, key: ByteString): boolean {
  return writes.deletes.some((range) => inRange(range, key));
}

/** Whether a transaction cannot write, whichever branch it takes: then it need not be replicated. */
export function isReadOnly(txn: TxnRequest): boolean {
  return [...txn.success, ...txn.failure].every(
    (operation) =>
      operation.kind === 'range' || (operation.kind === 'txn' && isReadOnly(operation)),
  );
}
