import type { LogIndex } from './ids.ts';

/**
 * How a follower keeps up, in rounds (Ongaro 4.2.1): a round ends when the follower has confirmed
 * everything that the leader's log held when the round began.
 */
export interface CatchUp {
  /** The end of the log when this round began. */
  target: LogIndex;
  /** How long this round has taken so far, in milliseconds. */
  elapsed: number;
  /** How long the round before took; null before the first has ended. */
  last: number | null;
}

/** The first round of a follower. */
export function newCatchUp(target: LogIndex): CatchUp {
  return { target, elapsed: 0, last: null };
}

/** Time passes, or the follower has confirmed up to `match`; a round may end, and the next begin. */
export function measure(
  catchUp: CatchUp,
  match: LogIndex,
  lastIndex: LogIndex,
  elapsed: number,
): void {
  if (match < catchUp.target) {
    catchUp.elapsed += elapsed;
    return;
  }
  catchUp.last = catchUp.elapsed;
  catchUp.elapsed = 0;
  catchUp.target = lastIndex;
}

/**
 * Whether the follower lacks only what is newer than `limit`: its last round took less, and so has
 * the one under way. A wait for its copy is then a wait that an election would take as well.
 */
export function keepsUp({ last, elapsed }: CatchUp, limit: number): boolean {
  return last !== null && last < limit && elapsed < limit;
}
