import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../../../base/units.ts';

/** How long to wait before trying again: a random share of a time that doubles up to a bound. */
export interface BackOff {
  readonly first: Milliseconds;
  readonly most: Milliseconds;
}

/** Waits before attempt number `attempt`, which is 1 for the first that is not the original one. */
export async function backOff(
  { first, most }: BackOff,
  attempt: number,
  random: () => number,
): Promise<void> {
  await sleep(random() * Math.min(most, first * 2 ** Math.min(attempt - 1, 30)));
}
