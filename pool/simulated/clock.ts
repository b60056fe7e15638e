import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { Clock } from '../clock.ts';

/** A clock that stands still until a test turns it. */
export interface SimulatedClock extends Clock {
  /** Turns it on by `span`: whoever sleeps wakes in the order of their times, each at its time. */
  advance(span: Milliseconds): Promise<void>;
}

/** When the wall clock of every simulation starts: 2026-01-01, in milliseconds since 1970 (UTC). */
const epoch = 1_767_225_600_000;

interface Sleeper {
  readonly at: Milliseconds;
  readonly wake: () => void;
}

/** Makes a clock that shows 0. */
export function simulatedClock(): SimulatedClock {
  let now = milliseconds(0);
  const sleepers = new Set<Sleeper>();
  const first = (until: Milliseconds): Sleeper | null => {
    let next: Sleeper | null = null;
    for (const sleeper of sleepers)
      if (sleeper.at <= until && (next === null || sleeper.at < next.at)) next = sleeper;
    return next;
  };
  return {
    now: () => now,
    wall: () => milliseconds(epoch + now),
    sleep: (span, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { at: milliseconds(now + span), wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    advance: async (span) => {
      const until = milliseconds(now + span);
      await nextTurn();
      for (let next = first(until); next !== null; next = first(until)) {
        now = milliseconds(Math.max(now, next.at));
        next.wake();
        await nextTurn();
      }
      now = until;
    },
  };
}
