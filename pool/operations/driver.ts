import type { Result } from '../../base/result.ts';
import type { Transaction } from '../database.ts';
import type { Failure } from '../failure.ts';
import type { OperationRecord, OperationStep } from '../records/operation.ts';

/** What a step produced, for the steps after it: plain JSON. */
export type StepOutput = Readonly<Record<string, unknown>>;

/** What a driver knows of the operation around its step. */
export interface StepContext {
  /** As it was recorded before the step. */
  readonly operation: OperationRecord;
  /** The step's place in it, from 0. */
  readonly index: number;
  /**
   * The output of the newest done step of this name before this one; undefined where there is none.
   */
  outputOf(stepName: string): StepOutput | undefined;
  /**
   * Aborts when the operation is cancelled, unless the step is irreversible, and when the service
   * closes. A driver then stops waiting, and fails with CANCELLED or ends as usual.
   */
  readonly signal: AbortSignal;
  /** Replaces the step's description in the record, for people: at most once a second is kept. */
  progress(description: string): void;
}

/**
 * Does one kind of step, and undoes it. Both are idempotent: they may run again, also after a crash
 * at any instant of an earlier run, and then end in the same state with the same output.
 *
 * A failure with SERVICE_UNAVAILABLE or DATABASE_UNAVAILABLE is tried again a bounded number of
 * times; every other failure of `do` makes the operation be undone, this step first.
 */
export interface StepDriver {
  do(step: OperationStep, context: StepContext): Promise<Result<StepOutput, Failure>>;
  /** Undoes what `do` did, in part or in full, or not at all. The output is empty if it never ended. */
  undo(step: OperationStep, context: StepContext): Promise<Result<void, Failure>>;
}

/** The drivers of a service by the names of steps: `storage.attach`. */
export type StepDrivers = Readonly<Record<string, StepDriver>>;

/** How an operation ended. */
export type Outcome = 'succeeded' | 'failed' | 'cancelled';

/**
 * What else changes in the transaction that ends an operation: clearing `vm.operation`, writing the
 * status. It reads what it needs; if its comparisons do not hold it is asked anew. By verb.
 */
export type Finish = (
  operation: OperationRecord,
  outcome: Outcome,
) => Promise<Result<Transaction, Failure>>;
export type Finishes = Readonly<Record<string, Finish>>;
