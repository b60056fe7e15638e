import * as v from 'valibot';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { StepContext, StepDriver, StepOutput } from '../../../../pool/operations/driver.ts';
import type { OperationStep } from '../../../../pool/records/operation.ts';

/** What one kind of step does, given its input in its type. Without `undo` there is nothing to undo. */
export interface StepBehaviour<Input> {
  do(input: Input, context: StepContext): Promise<Result<StepOutput, Failure>>;
  undo?(input: Input, context: StepContext): Promise<Result<void, Failure>>;
}

/**
 * Makes a driver: reads the recorded input by its schema before anything is done. A record that
 * another release wrote in another form fails, instead of doing something else than it meant.
 */
export function stepDriver<Input>(
  schema: v.GenericSchema<unknown, Input>,
  behaviour: StepBehaviour<Input>,
): StepDriver {
  const read = (step: OperationStep): Result<Input, Failure> => {
    const parsed = v.safeParse(schema, step.input);
    return parsed.success ? ok(parsed.output) : fail(unreadable(step.name));
  };
  return {
    do: async (step, context) => {
      const input = read(step);
      return input.ok ? behaviour.do(input.value, context) : input;
    },
    undo: async (step, context) => {
      const input = read(step);
      if (!input.ok) return input;
      return (await behaviour.undo?.(input.value, context)) ?? ok(undefined);
    },
  };
}

function unreadable(step: string): Failure {
  return {
    reason: 'NOT_IMPLEMENTED',
    message: `the recorded input of step ${step} is not of this release`,
    remedy: 'Run the release that recorded it, or cancel the operation.',
  };
}
