import { randomUUID } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Milliseconds } from '../../base/units.ts';
import type { Stored } from '../collection.ts';
import { commit } from '../commit.ts';
import type { Transaction } from '../database.ts';
import type { Failure } from '../failure.ts';
import type { Pool } from '../pool.ts';
import type { ServiceName } from '../records/host.ts';
import type { HostId, OperationId, Timestamp } from '../records/identifiers.ts';
import type { OperationRecord } from '../records/operation.ts';
import { together } from '../transaction.ts';

/** One step of an operation that is to be: see `OperationStepSchema`. */
export interface StepPlan {
  readonly name: string;
  readonly description: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly irreversible?: boolean;
}

/** An operation that is to be. */
export interface OperationPlan {
  /** Chosen when left out. Choose it where the resource's record names its operation. */
  readonly id?: OperationId;
  readonly verb: string;
  readonly resource: { readonly type: string; readonly id: string; readonly name: string };
  /** Who runs it. */
  readonly service: ServiceName;
  readonly host: HostId;
  readonly steps: readonly StepPlan[];
  /** The caller's `request_id`, or empty. */
  readonly requestId?: string;
  /** By the wall clock. */
  readonly now: Milliseconds;
}

/** A new id of an operation. */
export function newOperationId(): OperationId {
  return randomUUID() as OperationId;
}

/** The record of an operation that nobody has begun. */
export function newOperation(plan: OperationPlan): OperationRecord {
  assert(plan.steps.length > 0, 'an operation has steps');
  return {
    id: plan.id ?? newOperationId(),
    verb: plan.verb,
    resource: { ...plan.resource },
    service: plan.service,
    host: plan.host,
    state: 'pending',
    steps: plan.steps.map((step) => ({
      name: step.name,
      description: step.description,
      state: 'pending',
      input: { ...step.input },
      output: {},
      irreversible: step.irreversible ?? false,
    })),
    cursor: 0,
    failure: null,
    cancelRequested: false,
    requestId: plan.requestId ?? '',
    createdAt: plan.now as number as Timestamp,
    endedAt: null,
  };
}

/** The transaction part that records an operation, and its request's id so that it starts once. */
export function recording(pool: Pool, operation: OperationRecord): Transaction {
  const { id, service, requestId } = operation;
  const created = pool.operationsOf(service).creating(id, operation);
  if (requestId === '') return created;
  return together(created, pool.requestsOf(service).creating(requestId, id));
}

/**
 * Records an operation together with what else the request changes. Of two requests with one id the
 * second gets the first one's operation.
 */
export async function startOperation(
  pool: Pool,
  operation: OperationRecord,
  ...changes: readonly Transaction[]
): Promise<Result<Stored<OperationRecord>, Failure>> {
  const committed = await commit(pool.database, recording(pool, operation), ...changes);
  if (committed.ok)
    return ok({
      key: pool.operationsOf(operation.service).key(operation.id),
      record: operation,
      modRevision: committed.value,
    });
  const earlier = await earlierOperation(pool, operation);
  if (!earlier.ok || earlier.value === null) return committed;
  return ok(earlier.value);
}

/**
 * The operation of a service that a request with this id started earlier, or null: what a handler asks
 * first, as the request may be refused by now because the first one has done its work.
 */
export async function earlierOperation(
  pool: Pool,
  { service, requestId }: Pick<OperationRecord, 'service' | 'requestId'>,
): Promise<Result<Stored<OperationRecord> | null, Failure>> {
  if (requestId === '') return ok(null);
  const request = await pool.requestsOf(service).get(requestId);
  if (!request.ok) return fail(request.error);
  return request.value === null ? ok(null) : pool.operationsOf(service).get(request.value.record);
}
