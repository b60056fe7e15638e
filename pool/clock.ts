import { setTimeout as delay } from 'node:timers/promises';
import { type Milliseconds, milliseconds } from '../base/units.ts';

/** Time, as an input: services get the machine's, tests one that they turn themselves. */
export interface Clock {
  /** Never goes back; its zero means nothing. For deadlines and leases. */
  now(): Milliseconds;
  /** Milliseconds since 1970 (UTC), which an administrator may set. For records that people read. */
  wall(): Milliseconds;
  /** Resolves after `span`, or as soon as `signal` aborts. It never rejects. */
  sleep(span: Milliseconds, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => milliseconds(performance.now()),
  wall: () => milliseconds(Date.now()),
  sleep: (span, signal) =>
    delay(span, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    }),
};
