import { assert, unreachable } from '../../base/assert.ts';
import type { Failure } from '../failure.ts';
import type { Timestamp } from '../records/identifiers.ts';
import type { OperationRecord, OperationStep } from '../records/operation.ts';
import type { Outcome, StepOutput } from './driver.ts';

/**
 * The state machine of an operation's record; pure. A step is recorded as running before its driver
 * is called, so that whoever reads the record after a crash knows every step that may have had an
 * effect. Inputs that are about a step name it: one that comes late, because another attempt was
 * recorded already, changes nothing.
 */
export type OperationInput =
  | { readonly kind: 'begin' }
  | { readonly kind: 'done'; readonly index: number; readonly output: StepOutput }
  | { readonly kind: 'failed'; readonly index: number; readonly failure: Failure }
  | { readonly kind: 'cancel' }
  /** Acts on `cancelRequested`, which anybody may have set in the record. */
  | { readonly kind: 'turn-back' }
  | { readonly kind: 'undone'; readonly index: number }
  | { readonly kind: 'undo-failed'; readonly index: number; readonly failure: Failure }
  | { readonly kind: 'describe'; readonly index: number; readonly description: string }
  | { readonly kind: 'end'; readonly now: Timestamp };

/** What is to be done next. */
export type OperationAction =
  /** Record that it begins. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'do'; readonly index: number; readonly step: OperationStep }
  /** Record that it is cancelled. */
  | { readonly kind: 'turn-back' }
  | { readonly kind: 'undo'; readonly index: number; readonly step: OperationStep }
  /** Record its end. */
  | { readonly kind: 'end'; readonly outcome: Outcome }
  /** It has ended. */
  | { readonly kind: 'nothing' };

/** Whether it has come to its end. */
export function isEnded(operation: OperationRecord): boolean {
  return operation.endedAt !== null;
}

/** Whether a cancel would still be heeded: no irreversible step has begun. */
export function isCancellable(operation: OperationRecord): boolean {
  if (operation.state !== 'pending' && operation.state !== 'running') return false;
  const begun = operation.state === 'pending' ? 0 : operation.cursor + 1;
  return !operation.steps.slice(0, begun).some((step) => step.irreversible);
}

/** Whether an irreversible step is done: what comes after must go forward. */
export function isPastReturn(operation: OperationRecord): boolean {
  return operation.steps.some((step) => step.irreversible && step.state === 'done');
}

/** What is to be done next, by the record alone. */
export function nextAction(operation: OperationRecord): OperationAction {
  const { cursor, steps } = operation;
  const step = steps[cursor];
  switch (operation.state) {
    case 'pending':
      return operation.cancelRequested ? { kind: 'turn-back' } : { kind: 'begin' };
    case 'running':
      if (operation.cancelRequested && isCancellable(operation)) return { kind: 'turn-back' };
      if (step !== undefined) return { kind: 'do', index: cursor, step };
      return { kind: 'end', outcome: 'succeeded' };
    case 'undoing':
      if (step !== undefined) return { kind: 'undo', index: cursor, step };
      return { kind: 'end', outcome: undoneOutcome(operation) };
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return { kind: 'nothing' };
    default:
      return unreachable(operation.state);
  }
}

/** The record after an input. The same object: the input changes nothing. */
export function step(operation: OperationRecord, input: OperationInput): OperationRecord {
  switch (input.kind) {
    case 'begin':
      return operation.state === 'pending' ? onward(operation, 0) : operation;
    case 'done':
      return isAt(operation, 'running', input.index)
        ? afterDone(operation, input.index, input.output)
        : operation;
    case 'failed':
      return isAt(operation, 'running', input.index)
        ? turnBack(
            withStep(operation, input.index, { state: 'failed' }),
            operation.cancelRequested && isCancellable(operation)
              ? cancelled(operation)
              : input.failure,
          )
        : operation;
    case 'cancel':
      if (isEnded(operation) || operation.cancelRequested) return operation;
      return { ...operation, cancelRequested: true };
    case 'turn-back':
      return operation.cancelRequested && isCancellable(operation)
        ? turnBack(operation, cancelled(operation))
        : operation;
    case 'undone':
      return isAt(operation, 'undoing', input.index)
        ? backward(withStep(operation, input.index, { state: undoneState(operation, input.index) }))
        : operation;
    case 'undo-failed':
      return isAt(operation, 'undoing', input.index)
        ? backward(leftBehind(operation, input.index, input.failure))
        : operation;
    case 'describe':
      return operation.cursor === input.index && !isEnded(operation)
        ? withStep(operation, input.index, { description: input.description })
        : operation;
    case 'end':
      return ended(operation, input.now);
    default:
      return unreachable(input);
  }
}

function isAt(operation: OperationRecord, state: 'running' | 'undoing', index: number): boolean {
  return operation.state === state && operation.cursor === index;
}

function withStep(
  operation: OperationRecord,
  index: number,
  change: Partial<OperationStep>,
): OperationRecord {
  const steps = operation.steps.map((step, at) => (at === index ? { ...step, ...change } : step));
  return { ...operation, steps };
}

/** A cancel that came while the step ran is heeded before the next one begins. */
function afterDone(operation: OperationRecord, index: number, output: StepOutput): OperationRecord {
  const done = withStep(operation, index, { state: 'done', output: { ...output } });
  return operation.cancelRequested && isCancellable(operation)
    ? turnBack(done, cancelled(operation))
    : onward(done, index + 1);
}

/** Puts the cursor on a step that is to be done, or after the last. */
function onward(operation: OperationRecord, cursor: number): OperationRecord {
  const moved: OperationRecord = { ...operation, state: 'running', cursor };
  return cursor < moved.steps.length ? withStep(moved, cursor, { state: 'running' }) : moved;
}

/** Begins to undo, with the newest step that had or may have had an effect. */
function turnBack(operation: OperationRecord, failure: Failure): OperationRecord {
  const stored = { ...failure };
  const turned: OperationRecord = { ...operation, state: 'undoing', failure: stored };
  return backward({ ...turned, cursor: turned.steps.length });
}

/** Puts the cursor on the next step to undo: none before an irreversible step that is done. */
function backward(operation: OperationRecord): OperationRecord {
  for (let cursor = operation.cursor - 1; cursor >= 0; cursor -= 1) {
    const step = operation.steps[cursor];
    if (step === undefined || step.state === 'pending') continue;
    return { ...operation, cursor: step.irreversible && step.state === 'done' ? -1 : cursor };
  }
  return { ...operation, cursor: -1 };
}

/** The step that failed goes on saying so. */
function undoneState(operation: OperationRecord, index: number): OperationStep['state'] {
  return operation.steps[index]?.state === 'failed' ? 'failed' : 'undone';
}

function leftBehind(operation: OperationRecord, index: number, failure: Failure): OperationRecord {
  const step = operation.steps[index];
  const first = operation.failure;
  assert(step !== undefined && first !== null, 'what is undone has failed');
  const message = `${first.message}; undoing "${step.description}" failed as well: ${failure.message}`;
  const reason = first.reason === 'CANCELLED' ? failure.reason : first.reason;
  return {
    ...withStep(operation, index, { state: 'failed' }),
    failure: { ...first, reason, message, remedy: failure.remedy },
  };
}

function cancelled(operation: OperationRecord): Failure {
  return {
    reason: 'CANCELLED',
    message: `${operation.verb} of ${operation.resource.name} was cancelled`,
    remedy: '',
    resource: { type: operation.resource.type, name: operation.resource.name },
  };
}

function undoneOutcome(operation: OperationRecord): Outcome {
  return operation.cancelRequested && operation.failure?.reason === 'CANCELLED'
    ? 'cancelled'
    : 'failed';
}

function ended(operation: OperationRecord, now: Timestamp): OperationRecord {
  const action = nextAction(operation);
  if (action.kind !== 'end') return operation;
  return { ...operation, state: action.outcome, endedAt: now };
}
