import { Worker } from 'node:worker_threads';
import type { Bug } from './bugs.ts';
import type { Outcome } from './simulation.ts';
import type { Order } from './worker.ts';

/** Which seeds are to be run, and how. */
export interface Batch {
  readonly first: number;
  readonly count: number;
  readonly bug: Bug | null;
  /** Threads that run seeds at the same time. */
  readonly jobs: number;
  /** Goes on after a seed has failed. */
  readonly goOn: boolean;
  /** Ends the batch early; what is under way is finished. */
  readonly signal: AbortSignal;
}

/**
 * Runs seeds in their order until one fails, on several threads. Each outcome is told when it is
 * there. Resolves once all threads have ended. Which seed fails first does not depend on the
 * threads: every seed before it was run.
 */
export async function runBatch(batch: Batch, told: (outcome: Outcome) => void): Promise<void> {
  const { first, count, bug, jobs, goOn, signal } = batch;
  let next = first;
  let failed = false;
  const take = (): Order | null => {
    if (next >= first + count || signal.aborted || (failed && !goOn)) return null;
    next += 1;
    return { seed: next - 1, bug };
  };
  const threads = Array.from({ length: Math.min(jobs, count) }, () =>
    runThread(take, (outcome) => {
      failed ||= outcome.violation !== null;
      told(outcome);
    }),
  );
  await Promise.all(threads);
}

/** One thread, from its first seed to when there is none left to take. */
function runThread(take: () => Order | null, told: (outcome: Outcome) => void): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url));
  const proceed = (): void => {
    const order = take();
    if (order === null) void worker.terminate();
    else worker.postMessage(order);
  };
  return new Promise((resolve, reject) => {
    worker.on('message', (outcome: Outcome) => {
      told(outcome);
      proceed();
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve());
    proceed();
  });
}
