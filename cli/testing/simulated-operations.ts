import type { Failure } from '../../pool/failure.ts';
import { rpcStatus } from '../../pool/rpc/status.ts';
import { codec } from '../../proto/codec.ts';
import type { Operation, OperationStep, StepState } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { Status } from '../../proto/gen/google.rpc.ts';
import { type SimulatedState, secondsAgo } from './simulated-state.ts';

/** What an operation of a simulated pool is to do. */
export interface Plan {
  readonly verb: string;
  readonly vm: Vm;
  /** Descriptions of the steps. */
  readonly steps: readonly string[];
  /** What is so when all of them are done. */
  finish(): void;
}

/**
 * Runs operations one step after the other. Each begins when somebody watches it, so that a test sees
 * every change of it.
 */
export interface SimulatedOperations {
  /** Somebody watches the operation of this id. */
  watched(id: string): void;
  /** The operation as it is recorded; it is not run where `validateOnly` is set. */
  start(
    plan: Plan,
    request: { readonly validateOnly: boolean; readonly requestId: string },
  ): Operation;
  cancel(id: string): void;
  /** Holds every operation at the step of that description, until the returned function is called. */
  hold(description: string): () => void;
  /** Makes the step of that description fail from now on. */
  failAt(description: string, failure: Failure): void;
}

/** No operation yet. */
export function simulatedOperations(state: SimulatedState): SimulatedOperations {
  const holds = new Map<string, Promise<void>>();
  const failures = new Map<string, Failure>();
  const asked = new Map<string, string>();
  const plans = new Map<string, Plan>();

  const change = (id: string, part: Partial<Operation>): Operation => {
    const before = state.find('operation', id);
    if (before === undefined) throw new Error(`no operation ${id}`);
    const after = { ...before, ...part };
    state.put('operation', after);
    return after;
  };
  const setStep = (id: string, index: number, step: StepState): void => {
    const steps = state.find('operation', id)?.steps ?? [];
    change(id, {
      steps: steps.map((each, at) => (at === index ? { ...each, state: step } : each)),
    });
  };
  const undo = (id: string, failed: number, failure: Failure): void => {
    change(id, { state: 'OPERATION_STATE_UNDOING' });
    for (let index = failed - 1; index >= 0; index -= 1) setStep(id, index, 'STEP_STATE_UNDONE');
    change(id, {
      state:
        failure.reason === 'CANCELLED' ? 'OPERATION_STATE_CANCELLED' : 'OPERATION_STATE_FAILED',
      error: codec(Status).decode(codec(Status).encode(rpcStatus(failure))),
      endTime: secondsAgo(0),
    });
  };

  const run = async (id: string, plan: Plan): Promise<void> => {
    await turn();
    change(id, { state: 'OPERATION_STATE_RUNNING' });
    for (const [index, description] of plan.steps.entries()) {
      setStep(id, index, 'STEP_STATE_RUNNING');
      await (holds.get(description) ?? turn());
      const cancelled = state.find('operation', id)?.cancelRequested === true;
      const failure = cancelled ? cancelledFailure : failures.get(description);
      if (failure !== undefined) {
        setStep(id, index, cancelled ? 'STEP_STATE_UNDONE' : 'STEP_STATE_FAILED');
        undo(id, index, failure);
        return;
      }
      setStep(id, index, 'STEP_STATE_DONE');
    }
    plan.finish();
    change(id, { state: 'OPERATION_STATE_SUCCEEDED', endTime: secondsAgo(0) });
  };

  return {
    watched: (id) => {
      const plan = plans.get(id);
      plans.delete(id);
      if (plan !== undefined) void run(id, plan);
    },
    start: (plan, { validateOnly, requestId }) => {
      const earlier = state.find('operation', asked.get(requestId) ?? '');
      if (earlier !== undefined) return earlier;
      const operation = newOperation(validateOnly ? '' : state.nextId(), plan);
      if (validateOnly) return operation;
      asked.set(requestId, operation.id);
      state.put('operation', operation);
      plans.set(operation.id, plan);
      return operation;
    },
    cancel: (id) => {
      change(id, { cancelRequested: true });
    },
    hold: (description) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      holds.set(description, promise);
      return () => {
        holds.delete(description);
        resolve();
      };
    },
    failAt: (description, failure) => {
      failures.set(description, failure);
    },
  };
}

const cancelledFailure: Failure = {
  reason: 'CANCELLED',
  message: 'it was cancelled',
  remedy: '',
};

function newOperation(id: string, { verb, vm, steps }: Plan): Operation {
  return {
    id,
    verb,
    resourceType: 'vm',
    resourceId: vm.id,
    resourceName: vm.name,
    state: 'OPERATION_STATE_PENDING',
    steps: steps.map(
      (description): OperationStep => ({
        name: description.replaceAll(' ', '.'),
        description,
        state: 'STEP_STATE_PENDING',
      }),
    ),
    error: null,
    host: 'host-1',
    cancelRequested: false,
    createTime: secondsAgo(5),
    endTime: null,
    revision: 0,
  };
}

/** Lets what waits for I/O go on, so that each change is sent on its own. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
