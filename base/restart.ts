import { type Milliseconds, milliseconds } from './units.ts';

/**
 * When what ended is started again, a process or a guest: at once the first time, later and later
 * while it keeps ending soon after its start, at once again after it ran for a while.
 */

/** A run this long counts as a good one. */
export const goodRun = milliseconds(30_000);

/** The delays after the first, second, ... short run in a row; the last one from then on. */
export const restartDelays: readonly Milliseconds[] = [200, 500, 1000, 2000, 5000, 10_000].map(
  milliseconds,
);

/** What is remembered of a process or a guest between its runs. */
export interface RestartHistory {
  /** Short runs in a row. */
  readonly shortRuns: number;
}

/** What never ran. */
export const neverRan: RestartHistory = { shortRuns: 0 };

/** A run of `ranFor` has ended: how long to wait before the next, and what to remember. */
export function nextRestart(
  history: RestartHistory,
  ranFor: Milliseconds,
): { readonly wait: Milliseconds; readonly history: RestartHistory } {
  const before = ranFor >= goodRun ? 0 : history.shortRuns;
  const wait = restartDelays[Math.min(before, restartDelays.length - 1)] ?? goodRun;
  return { wait, history: { shortRuns: before + 1 } };
}
