import type { Input } from '../../proto/codec.ts';
import type { Operation, OperationState, StepState } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Stored } from '../collection.ts';
import type { OperationRecord, OperationStep } from '../records/operation.ts';
import { rpcStatus } from '../rpc/status.ts';
import { timestampMessage } from '../rpc/timestamp.ts';

const operationStates: Readonly<Record<OperationRecord['state'], OperationState>> = {
  pending: 'OPERATION_STATE_PENDING',
  running: 'OPERATION_STATE_RUNNING',
  undoing: 'OPERATION_STATE_UNDOING',
  succeeded: 'OPERATION_STATE_SUCCEEDED',
  failed: 'OPERATION_STATE_FAILED',
  cancelled: 'OPERATION_STATE_CANCELLED',
};

const stepStates: Readonly<Record<OperationStep['state'], StepState>> = {
  pending: 'STEP_STATE_PENDING',
  running: 'STEP_STATE_RUNNING',
  done: 'STEP_STATE_DONE',
  failed: 'STEP_STATE_FAILED',
  undone: 'STEP_STATE_UNDONE',
};

/** An operation as the API shows it; `host` is the id of the host whose service runs it. */
export function operationMessage({
  record,
  modRevision,
}: Stored<OperationRecord>): Input<Operation> {
  return {
    id: record.id,
    verb: record.verb,
    resourceType: record.resource.type,
    resourceId: record.resource.id,
    resourceName: record.resource.name,
    state: operationStates[record.state],
    steps: record.steps.map(({ name, description, state }) => ({
      name,
      description,
      state: stepStates[state],
    })),
    error: record.failure === null ? null : rpcStatus(record.failure),
    host: record.host,
    cancelRequested: record.cancelRequested,
    createTime: timestampMessage(record.createdAt),
    endTime: record.endedAt === null ? null : timestampMessage(record.endedAt),
    revision: modRevision,
  };
}
