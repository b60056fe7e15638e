import { unreachable } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { holds } from './compare.ts';
import type { StoreFailure } from './failure.ts';
import type { History } from './history.ts';
import type { LeaseTable } from './lease-table.ts';
import type { Mutation } from './mutation.ts';
import { checkRevision, rangeReply } from './range.ts';
import type { OperationReply, TxnReply } from './reply.ts';
import type { Operation, PutRequest, TxnRequest } from './request.ts';
import { noLease } from './version.ts';

/** An operation with its branches chosen: what is left to do does not depend on compares. */
type Planned =
  | Exclude<Operation, TxnRequest>
  | { readonly kind: 'txn'; readonly succeeded: boolean; readonly operations: readonly Planned[] };

/** A transaction whose compares are evaluated, and whose operations can all be done. */
export type TxnPlan = Extract<Planned, { readonly kind: 'txn' }>;

/**
 * Chooses the branches of a transaction by the store as it is, nested ones included: a nested
 * compare does not see what the outer transaction writes. Fails where an operation of the chosen
 * branches cannot be done; then nothing is done at all.
 */
export function planTxn(
  history: History,
  leases: LeaseTable,
  txn: TxnRequest,
): Result<TxnPlan, StoreFailure> {
  const plan = choose(history, txn);
  const refusal = check(history, leases, plan);
  return refusal === null ? ok(plan) : fail(refusal);
}

function choose(history: History, txn: TxnRequest): TxnPlan {
  const succeeded = txn.compares.every((compare) => holds(history, compare));
  const branch = succeeded ? txn.success : txn.failure;
  return {
    kind: 'txn',
    succeeded,
    operations: branch.map((each) => (each.kind === 'txn' ? choose(history, each) : each)),
  };
}

function check(history: History, leases: LeaseTable, planned: Planned): StoreFailure | null {
  switch (planned.kind) {
    case 'range':
      return checkRevision(history, planned.revision);
    case 'put':
      return checkPut(history, leases, planned);
    case 'delete':
      return null;
    case 'txn':
      for (const operation of planned.operations) {
        const refusal = check(history, leases, operation);
        if (refusal !== null) return refusal;
      }
      return null;
    default:
      return unreachable(planned);
  }
}

/** Whether a Put can be done: what it keeps must exist, and so must the lease that it names. */
export function checkPut(
  history: History,
  leases: LeaseTable,
  put: PutRequest,
): StoreFailure | null {
  const keeps = put.ignoreValue || put.ignoreLease;
  if (keeps && history.live(put.key) === null) return 'key-not-found';
  const isLeased = put.lease !== noLease;
  return isLeased && leases.get(put.lease) === undefined ? 'lease-not-found' : null;
}

/** Does what was planned, in order; each operation sees what those before it wrote. */
export function runTxn(history: History, mutation: Mutation, plan: TxnPlan): TxnReply {
  const replies = plan.operations.map((each) => run(history, mutation, each));
  return { kind: 'txn', revision: mutation.revision, succeeded: plan.succeeded, replies };
}

function run(history: History, mutation: Mutation, planned: Planned): OperationReply {
  switch (planned.kind) {
    case 'range':
      return rangeReply(history, mutation.revision, planned);
    case 'put':
      return mutation.put(planned);
    case 'delete':
      return mutation.delete(planned);
    case 'txn':
      return runTxn(history, mutation, planned);
    default:
      return unreachable(planned);
  }
}
