import { type Milliseconds, milliseconds } from '../../base/units.ts';

/** Where the simulated hypervisor gets its time from: the machine's clock, or a simulation's. */
export interface Clock {
  /** A moment on a clock that never goes back. */
  now(): Milliseconds;
  /** Runs `action` once, `delay` from now; the returned function prevents it. */
  after(delay: Milliseconds, action: () => void): () => void;
}

/** The machine's monotonic clock. */
export const systemClock: Clock = {
  now: () => milliseconds(performance.now()),
  after: (delay, action) => {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
};
