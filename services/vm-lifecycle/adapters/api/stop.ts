import { present } from '../../../../base/assert.ts';
import { ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import type { Input } from '../../../../proto/codec.ts';
import type { Operation } from '../../../../proto/gen/flotilla.pool.v1.ts';
import type {
  DestroyVmRequest,
  RebootVmRequest,
  ShutdownVmRequest,
} from '../../../../proto/gen/flotilla.vm.v1.ts';
import { planDestroy, planReboot, planShutdown } from '../../core/planner.ts';
import type { PlannedStep } from '../../core/step.ts';
import { validateTimeout } from '../../core/validation.ts';
import type { Environment } from '../environment.ts';
import { occupying, vmOperation } from '../vm-operation.ts';
import { answerVerb, type VerbRequest } from './answer.ts';
import { judge } from './situation.ts';

/** How long a guest is given to stop when the caller does not say. */
const defaultTimeoutSeconds = 60;

/** ShutdownVm. */
export function shutdownVm(environment: Environment, request: ShutdownVmRequest) {
  const seconds = request.timeoutSeconds || defaultTimeoutSeconds;
  return stop(environment, request, 'shutdown', {
    violations: validateTimeout('timeout_seconds', request.timeoutSeconds),
    plan: (vm) => planShutdown(vm, seconds),
  });
}

/** RebootVm: under the same claim, on the same host. */
export function rebootVm(environment: Environment, request: RebootVmRequest) {
  const seconds = request.timeoutSeconds || defaultTimeoutSeconds;
  return stop(environment, request, 'reboot', {
    violations: validateTimeout('timeout_seconds', request.timeoutSeconds),
    plan: (vm) => planReboot(vm, seconds),
  });
}

/** DestroyVm, which also clears away what a failed operation left. */
export function destroyVm(environment: Environment, request: DestroyVmRequest) {
  return stop(environment, request, 'destroy', {
    violations: [],
    plan: (vm) => planDestroy(vm, ''),
  });
}

interface Stop {
  readonly violations: ReturnType<typeof validateTimeout>;
  readonly plan: (vm: VmRecord) => readonly PlannedStep[];
}

/**
 * All three are done by the host of the claim, under the claim as it is. The VM is wanted running
 * until it is let go of: if the guest runs on, or the operation is cancelled, nothing has changed.
 */
function stop(
  environment: Environment,
  request: VerbRequest & { readonly vm: string },
  verb: 'shutdown' | 'reboot' | 'destroy',
  { violations, plan }: Stop,
): Promise<Result<Input<Operation>, Failure>> {
  const { pool, clock } = environment;
  return answerVerb(environment, request, violations, async () => {
    const judged = await judge(pool, request.vm, verb);
    if (!judged.ok) return judged;
    const { stored } = judged.value;
    const operation = vmOperation({
      verb: `vm.${verb}`,
      vm: stored.record,
      host: present(stored.record.host, 'a VM that can be stopped has been claimed'),
      steps: plan(stored.record),
      requestId: request.requestId,
      now: clock.wall(),
    });
    return ok({ operation, changes: [occupying(pool, stored, {}, operation)] });
  });
}
