import { fail, ok, type Result } from '../../base/result.ts';
import { failureOfStatus } from '../../pool/rpc/status.ts';
import type { Operation } from '../../proto/gen/flotilla.pool.v1.ts';
import { watch } from '../connection/watch.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import type { Session } from '../session.ts';
import { stopOn } from '../stop.ts';
import { progressDisplay } from './display.ts';
import { hasEnded, titleOf } from './progress.ts';

/**
 * Waits until an operation has ended, and shows how it goes on. The operation is the pool's: Ctrl-C,
 * `--timeout` and the loss of the host that was asked end the waiting, or change whom we ask; never
 * the operation. The failure is only of the waiting: see `outcomeOf`.
 */
export async function follow(
  session: Session,
  operation: Operation,
): Promise<Result<Operation, Problem>> {
  if (hasEnded(operation)) return ok(operation);
  const display = progressDisplay(session);
  const stop = stopOn(session);
  let last = operation;
  display.show(operation);
  const watched = await watch(session.pool, {
    open: (to, resumeRevision, settings) =>
      to.pool.watchOperations({ operation: operation.id, resumeRevision }, settings),
    onEvent: (event) => {
      if (event.operation === null) return false;
      last = event.operation;
      display.show(last);
      return hasEnded(last);
    },
    onRestart: () => {},
    onFailOver: (from) => display.say(`${from.host.name} no longer answers; asking another host`),
    signal: stop.signal,
  });
  display.close();
  stop.release();
  switch (stop.cause()) {
    case 'interrupted':
      return fail(interrupted(last));
    case 'timed out':
      return fail(timedOut(last));
    case undefined:
      return watched.ok ? ok(last) : fail(lost(watched.error, last));
  }
}

/** The operation as the result of the command that asked for it: its failure is the command's. */
export function outcomeOf(operation: Operation): Result<Operation, Problem> {
  if (operation.state === 'OPERATION_STATE_SUCCEEDED') return ok(operation);
  const title = titleOf(operation);
  const failure = operation.error === null ? undefined : failureOfStatus(operation.error);
  if (operation.state === 'OPERATION_STATE_CANCELLED')
    return fail({
      ...failure,
      exitCode: exitCodes.failed,
      message: `${title} was cancelled; what it had done is undone`,
      remedy: '',
    });
  const failed = operation.steps.find((step) => step.state === 'STEP_STATE_FAILED');
  return fail({
    ...failure,
    exitCode: exitCodes.failed,
    message: `${title} failed: ${failure?.message ?? 'its record does not say why'}`,
    details: [
      ...(failed === undefined ? [] : [`step: ${failed.description}`]),
      'what it had done is undone',
    ],
    remedy: failure?.remedy || `see its steps with \`flotilla operation show ${operation.id}\``,
  });
}

function goesOn(operation: Operation): string {
  return `watch it with \`flotilla operation watch ${operation.id}\`, or cancel it with \`flotilla operation cancel ${operation.id}\``;
}

function interrupted(operation: Operation): Problem {
  return {
    exitCode: exitCodes.interrupted,
    message: `${titleOf(operation)} goes on in the pool`,
    remedy: goesOn(operation),
  };
}

function timedOut(operation: Operation): Problem {
  return {
    exitCode: exitCodes.timedOut,
    message: `${titleOf(operation)} has not ended within --timeout; it goes on in the pool`,
    remedy: goesOn(operation),
  };
}

function lost(problem: Problem, operation: Operation): Problem {
  return {
    ...problem,
    message: `${problem.message}; ${titleOf(operation)} was under way, and its record is kept`,
    remedy: `${problem.remedy}; then \`flotilla operation watch ${operation.id}\``,
  };
}
