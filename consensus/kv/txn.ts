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
  // All Puts are looked at before all Ranges, as in etcd.
  const refusal =
    check(plan, (each) => (each.kind === 'put' ? checkPut(history, leases, each) : null)) ??
    check(plan, (each) => (each.kind === 'range' ? checkRevision(history, each.revision) : null));
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

function check(
  plan: TxnPlan,
  checkOne: (operation: Exclude<Operation, TxnRequest>) => StoreFailure | null,
): StoreFailure | null {
  for (const operation of plan.operations) {
    const refusal = operation.kind === 'txn' ? check(operation, checkOne) : checkOne(operation);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Whether a Put can be done: what it keeps must exist, and so must the lease that it names. */
export function checkPut(
  history: History,
  leases: LeaseTable,
  put: PutRequest,
): StoreFailure | null {
  const keeps = put.ignoreValue || put.ignoreLease;
  if (keeps && history.live(put.key) === null) return 'key-not-found';
  return checkLease(leases, put);
}

/** Whether the lease that a Put names exists. */
export function checkLease(leases: LeaseTable, { lease }: PutRequest): StoreFailure | null {
  return lease !== noLease && leases.get(lease) === undefined ? 'lease-not-found' : null;
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
