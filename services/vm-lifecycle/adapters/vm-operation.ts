import type { Milliseconds } from '../../../base/units.ts';
import type { Stored } from '../../../pool/collection.ts';
import type { Transaction } from '../../../pool/database.ts';
import { newOperation, newOperationId } from '../../../pool/operations/record.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { HostId } from '../../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../../pool/records/operation.ts';
import type { VmRecord } from '../../../pool/records/vm.ts';
import { type PlannedStep, stepKinds } from '../core/step.ts';
import type { VmVerb } from './verbs.ts';

/** An operation on a VM that is to be recorded. */
export interface VmOperation {
  readonly verb: VmVerb;
  readonly vm: VmRecord;
  /** Whose vm-lifecycle service runs it. */
  readonly host: HostId;
  readonly steps: readonly PlannedStep[];
  readonly requestId: string;
  /** By the wall clock. */
  readonly now: Milliseconds;
}

/** The record of an operation on a VM. */
export function vmOperation({
  verb,
  vm,
  host,
  steps,
  requestId,
  now,
}: VmOperation): OperationRecord {
  return newOperation({
    id: newOperationId(),
    verb,
    resource: { type: 'vm', id: vm.id, name: vm.name },
    service: 'vm-lifecycle',
    host,
    steps: steps.map(({ name, description, input }) => ({
      name,
      description,
      input: { ...input },
      irreversible: stepKinds[name].irreversible,
    })),
    requestId,
    now,
  });
}

/**
 * Writes a VM's record so that it names the operation. It takes place only if nobody has written
 * the record since it was read, so a VM has one operation at a time.
 */
export function occupying(
  pool: Pool,
  stored: Stored<VmRecord>,
  change: Partial<VmRecord>,
  operation: OperationRecord,
): Transaction {
  return pool.vms.replacing(stored, { ...stored.record, ...change, operation: operation.id });
}
