import type { Random } from '../base/random.ts';
import { type Milliseconds, milliseconds } from '../base/units.ts';

/** How long to wait between attempts. */
export interface BackOff {
  /** Before the second attempt, on average. */
  readonly first: Milliseconds;
  /** At most, however many attempts there were. */
  readonly most: Milliseconds;
}

/**
 * How long to wait after attempt number `attempt` (from 1) has failed: doubling, with as much again
 * left to chance, so that those who failed together do not come back together.
 */
export function backOffDelay(backOff: BackOff, attempt: number, random: Random): Milliseconds {
  const full = Math.min(backOff.most, backOff.first * 2 ** Math.min(attempt - 1, 30));
  return milliseconds(full / 2 + random.below(Math.ceil(full / 2) + 1));
}
