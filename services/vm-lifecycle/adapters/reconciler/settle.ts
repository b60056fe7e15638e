import { unreachable } from '../../../../base/assert.ts';
import { ok, type Result } from '../../../../base/result.ts';
import type { Stored } from '../../../../pool/collection.ts';
import { commit } from '../../../../pool/commit.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { startOperation } from '../../../../pool/operations/record.ts';
import type { Timestamp } from '../../../../pool/records/identifiers.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import { requiring, unchanged, writing } from '../../../../pool/transaction.ts';
import { planDestroy, planReconnect, planRestart } from '../../core/planner.ts';
import type { Action } from '../../core/reconciliation.ts';
import type { Environment } from '../environment.ts';
import type { VmVerb } from '../verbs.ts';
import { occupying, vmOperation } from '../vm-operation.ts';

/**
 * Does what reconciliation found, by recording it: nothing happens if the VM's record is not as it
 * was when the domains were compared with it (CONFLICT).
 */
export async function settle(
  environment: Environment,
  stored: Stored<VmRecord>,
  action: Action,
): Promise<Result<void, Failure>> {
  const { record } = stored;
  switch (action.kind) {
    case 'clean-up': {
      const steps = planDestroy(record, action.detail);
      const recorded = await submit(environment, stored, 'vm.clean-up', steps);
      if (!recorded.ok || action.detail === '') return recorded;
      return tell(environment, record, `vm ${record.name} ended: ${action.detail}`);
    }
    case 'restart':
      return submit(environment, stored, 'vm.restart', planRestart(record));
    case 'reconnect':
      return submit(environment, stored, 'vm.reconnect', planReconnect(record, action));
    case 'report':
      return report(environment, stored, action);
    default:
      return unreachable(action);
  }
}

async function submit(
  { pool, host, clock }: Environment,
  stored: Stored<VmRecord>,
  verb: VmVerb,
  steps: ReturnType<typeof planDestroy>,
): Promise<Result<void, Failure>> {
  const operation = vmOperation({
    verb,
    vm: stored.record,
    host: host.id,
    steps,
    requestId: '',
    now: clock.wall(),
  });
  const started = await startOperation(pool, operation, occupying(pool, stored, {}, operation));
  return started.ok ? ok(undefined) : started;
}

async function report(
  { pool, host }: Environment,
  stored: Stored<VmRecord>,
  action: Extract<Action, { kind: 'report' }>,
): Promise<Result<void, Failure>> {
  const { id, epoch } = stored.record;
  const before = await pool.vmStatuses.get(id);
  if (!before.ok) return before;
  const known = before.value?.record;
  const startedAt: Timestamp | null = known?.epoch === epoch ? known.startedAt : null;
  const status = pool.vmStatuses.put(id, {
    vm: id,
    host: host.id,
    epoch,
    powerState: action.powerState,
    domid: action.domid,
    startedAt,
    detail: '',
  });
  const committed = await commit(pool.database, requiring(unchanged(stored)), writing(status));
  return committed.ok ? ok(undefined) : committed;
}

function tell(
  { events }: Environment,
  { id, name }: VmRecord,
  message: string,
): Promise<Result<void, Failure>> {
  return events.write({ severity: 'error', resource: { type: 'vm', id, name }, message });
}
