import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { OperationId } from '../../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../../pool/records/operation.ts';
import { stoppedWaiting } from './failures.ts';

/** Making or deleting a sparse file takes milliseconds; a storage service that is down, longer. */
const patience = milliseconds(60_000);

/**
 * Waits until an operation of the storage service has ended: its failure is the result. An operation that
 * is not there any more has ended long ago, and well, since those that failed are kept as long.
 */
export async function awaitOperation(
  { pool, clock, signal }: { pool: Pool; clock: Clock; signal: AbortSignal },
  id: OperationId,
): Promise<Result<void, Failure>> {
  const over = new AbortController();
  const timer = clock.sleep(patience, over.signal).then(() => over.abort());
  const result = await follow(pool, id, AbortSignal.any([signal, over.signal]));
  over.abort();
  await timer;
  if (result !== null) return result;
  return fail(signal.aborted ? stoppedWaiting(`waiting for operation ${id}`) : unfinished(id));
}

/** Null: the signal aborted first. */
async function follow(
  pool: Pool,
  id: OperationId,
  signal: AbortSignal,
): Promise<Result<void, Failure> | null> {
  const operations = pool.operationsOf('storage');
  const key = operations.key(id);
  const now = await operations.list({ limit: 1 }, id);
  if (!now.ok) return now;
  const known = now.value.items[0];
  const ended = known === undefined ? ok(undefined) : outcomeOf(known.record);
  if (ended !== null) return ended;
  const changes = pool.database.watch({ prefixes: [key], after: now.value.revision, signal });
  for await (const batch of changes) {
    if (batch.kind === 'failed') return fail(batch.failure);
    if (batch.kind === 'progress') continue;
    for (const change of batch.changes) {
      if (change.kind === 'delete') return ok(undefined);
      const stored = operations.decode(change.entry);
      if (!stored.ok) return stored;
      const outcome = outcomeOf(stored.value.record);
      if (outcome !== null) return outcome;
    }
  }
  return null;
}

function outcomeOf(operation: OperationRecord): Result<void, Failure> | null {
  if (operation.endedAt === null) return null;
  if (operation.state === 'succeeded') return ok(undefined);
  return fail(
    operation.failure ?? {
      reason: 'CANCELLED',
      message: `${operation.verb} of ${operation.resource.name} was cancelled`,
      remedy: '',
    },
  );
}

function unfinished(id: OperationId): Failure {
  return {
    reason: 'SERVICE_UNAVAILABLE',
    message: `operation ${id} has not ended within ${patience / 1000} s`,
    remedy: `See what it waits for: flotilla operation watch ${id}.`,
    resource: { type: 'operation', name: id },
  };
}
