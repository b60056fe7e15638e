import { assert } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { backOffDelay } from '../back-off.ts';
import type { Stored } from '../collection.ts';
import { type Failure, isTransient } from '../failure.ts';
import type { Timestamp } from '../records/identifiers.ts';
import type { OperationRecord } from '../records/operation.ts';
import {
  isCancellable,
  isEnded,
  isPastReturn,
  nextAction,
  type OperationInput,
  step,
} from './core.ts';
import type { Finishes, StepContext, StepDriver, StepDrivers } from './driver.ts';
import { Journal, type JournalSettings } from './journal.ts';

/** Between attempts of a step: the service that is missing may be starting. */
const stepRetry = { first: milliseconds(200), most: milliseconds(5_000) };

/**
 * Attempts of a step before it is undone: about half a minute, in which a service that was killed
 * has started again. Past the point of no return there is no bound: only forward is right.
 */
const stepAttempts = 10;

/** Attempts of an undo that fails for another reason than an absence that passes. */
const undoAttempts = 3;

/** A description is recorded at most so often. */
const progressInterval = milliseconds(1_000);

/** What a worker needs of its runner. */
export interface WorkerSettings extends JournalSettings {
  readonly drivers: StepDrivers;
  readonly finishes: Finishes;
}

/** Brings one operation to its end, from wherever its record says that it is. */
export class Worker {
  #settings: WorkerSettings;
  #journal: Journal;
  /** Aborts the step that runs: its operation was cancelled. */
  #cancelling = new AbortController();
  #lastProgress = Number.NEGATIVE_INFINITY;

  constructor(settings: WorkerSettings, stored: Stored<OperationRecord>) {
    this.#settings = settings;
    this.#journal = new Journal(settings, stored, (before, after) => {
      if (after.cursor !== before.cursor) this.#cancelling = new AbortController();
      if (after.cancelRequested && isCancellable(after)) this.#cancelling.abort();
    });
  }

  /** Tells of the record as it is now, because somebody wrote it: perhaps to cancel. */
  observe(stored: Stored<OperationRecord>): void {
    this.#journal.observe(stored);
  }

  /** Resolves with the record once the operation has ended, or with null if the runner closes. */
  async run(): Promise<OperationRecord | null> {
    while (!this.#journal.isClosed) {
      const operation = this.#journal.record;
      const action = nextAction(operation);
      switch (action.kind) {
        case 'begin':
        case 'turn-back':
          await this.#write({ kind: action.kind });
          break;
        case 'do':
          await this.#do(operation, action.index);
          break;
        case 'undo':
          await this.#undo(operation, action.index);
          break;
        case 'end':
          await this.#end();
          break;
        case 'nothing':
          return operation;
      }
    }
    return null;
  }

  async #do(operation: OperationRecord, index: number): Promise<void> {
    const signal = AbortSignal.any([this.#settings.closing, this.#cancelling.signal]);
    const run = this.#call(operation, index, signal, 'do');
    for (let attempt = 1; ; attempt += 1) {
      const result = await run();
      if (this.#journal.isClosed) return;
      if (result.ok) return this.#done(index, result.value);
      const again = attempt < stepAttempts || isPastReturn(operation);
      if (!isTransient(result.error) || !again || signal.aborted)
        return this.#write({ kind: 'failed', index, failure: result.error });
      await this.#pause(attempt, result.error, signal);
    }
  }

  async #undo(operation: OperationRecord, index: number): Promise<void> {
    const { closing } = this.#settings;
    const run = this.#call(operation, index, closing, 'undo');
    for (let attempt = 1, refused = 0; ; attempt += 1) {
      const result = await run();
      if (this.#journal.isClosed) return;
      if (result.ok) return this.#write({ kind: 'undone', index });
      if (!isTransient(result.error)) refused += 1;
      if (refused >= undoAttempts || result.error.reason === 'NOT_IMPLEMENTED')
        return this.#write({ kind: 'undo-failed', index, failure: result.error });
      await this.#pause(attempt, result.error, closing);
    }
  }

  /** The call of a step's driver; a step that no driver answers to fails. */
  #call(
    operation: OperationRecord,
    index: number,
    signal: AbortSignal,
    direction: keyof StepDriver,
  ): () => Promise<Result<Readonly<Record<string, unknown>>, Failure>> {
    const current = operation.steps[index];
    assert(current !== undefined, 'the cursor is on a step');
    const driver = this.#settings.drivers[current.name];
    if (driver === undefined) return () => Promise.resolve(fail(noDriver(current.name)));
    const context = this.#context(operation, index, signal);
    if (direction === 'do') return () => driver.do(current, context);
    return async () => {
      const undone = await driver.undo(current, context);
      return undone.ok ? ok({}) : undone;
    };
  }

  #context(operation: OperationRecord, index: number, signal: AbortSignal): StepContext {
    const earlier = operation.steps.slice(0, index);
    return {
      operation,
      index,
      signal,
      outputOf: (name) =>
        earlier.findLast((item) => item.name === name && item.state === 'done')?.output,
      progress: (description) => this.#progress(index, description),
    };
  }

  #progress(index: number, description: string): void {
    const now = this.#settings.clock.now();
    if (now - this.#lastProgress < progressInterval) return;
    this.#lastProgress = now;
    void this.#write({ kind: 'describe', index, description });
  }

  async #pause(attempt: number, failure: Failure, signal: AbortSignal): Promise<void> {
    const { clock, random, onRetry } = this.#settings;
    onRetry(this.#journal.record, failure);
    await clock.sleep(backOffDelay(stepRetry, attempt, random), signal);
  }

  #write(input: OperationInput): Promise<void> {
    return this.#journal.write(async (before) => {
      const after = step(before, input);
      return ok(after === before ? null : { after, extra: [] });
    });
  }

  /** The last step is not recorded as done by itself: the transaction that ends it does. */
  #done(index: number, output: Readonly<Record<string, unknown>>): Promise<void> {
    const input: OperationInput = { kind: 'done', index, output };
    const isLast = index + 1 === this.#journal.record.steps.length;
    return isLast ? this.#end(input) : this.#write(input);
  }

  /** Takes in `last`, and where that is the end records it with what the verb adds to it. */
  #end(last?: OperationInput): Promise<void> {
    return this.#journal.write(async (before) => {
      if (isEnded(before)) return ok(null);
      const now = this.#settings.clock.wall() as number as Timestamp;
      const done = last === undefined ? before : step(before, last);
      const action = nextAction(done);
      if (action.kind !== 'end') return ok(done === before ? null : { after: done, extra: [] });
      const after = step(done, { kind: 'end', now });
      const finish = this.#settings.finishes[after.verb];
      if (finish === undefined) return ok({ after, extra: [] });
      const extra = await finish(after, action.outcome);
      return extra.ok ? ok({ after, extra: [extra.value] }) : extra;
    });
  }
}

function noDriver(name: string): Failure {
  return {
    reason: 'NOT_IMPLEMENTED',
    message: `this release has no driver for the step ${name}`,
    remedy: 'The operation was recorded by another release: run the same one on all hosts.',
  };
}
