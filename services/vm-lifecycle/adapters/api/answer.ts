import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Revision, Transaction } from '../../../../pool/database.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { operationMessage } from '../../../../pool/operations/message.ts';
import { earlierOperation, startOperation } from '../../../../pool/operations/record.ts';
import type { OperationId } from '../../../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../../../pool/records/operation.ts';
import type { Input } from '../../../../proto/codec.ts';
import type { Operation } from '../../../../proto/gen/flotilla.pool.v1.ts';
import { validateRequestId } from '../../core/validation.ts';
import { refuseViolations, type Violation } from '../../core/violation.ts';
import type { Environment } from '../environment.ts';
import { untilNoConflict } from '../vm-change.ts';

/** What a verb's request has beside its own fields. */
export interface VerbRequest {
  readonly validateOnly: boolean;
  readonly requestId: string;
}

/** What is to be recorded: the operation, and what changes in the same transaction. */
export interface Decision {
  readonly operation: OperationRecord;
  readonly changes: readonly Transaction[];
}

/**
 * Answers a verb: refuses what is not accepted, returns the operation of an earlier request of the
 * same id, and otherwise decides and records in one transaction, again if the pool changed in
 * between. With `validate_only` it stops before it records: the answer is the operation as it
 * would be, without an id.
 */
export async function answerVerb(
  { pool, clock }: Pick<Environment, 'pool' | 'clock'>,
  request: VerbRequest,
  violations: readonly Violation[],
  decide: () => Promise<Result<Decision, Failure>>,
): Promise<Result<Input<Operation>, Failure>> {
  const refusal = refuseViolations([
    ...violations,
    ...validateRequestId('request_id', request.requestId),
  ]);
  if (refusal !== null) return fail(refusal);
  const { requestId } = request;
  const earlier = await earlierOperation(pool, { service: 'vm-lifecycle', requestId });
  if (!earlier.ok) return earlier;
  if (earlier.value !== null) return ok(operationMessage(earlier.value));
  return untilNoConflict(clock, async () => {
    const decision = await decide();
    if (!decision.ok) return decision;
    const { operation, changes } = decision.value;
    if (request.validateOnly) {
      const record = { ...operation, id: '' as OperationId };
      return ok(operationMessage({ key: '', record, modRevision: 0 as Revision }));
    }
    const started = await startOperation(pool, operation, ...changes);
    return started.ok ? ok(operationMessage(started.value)) : started;
  });
}
