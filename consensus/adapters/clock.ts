import { milliseconds } from '../../base/units.ts';
import type { Clock } from '../ports.ts';

/** The machine's own time and event loop. */
export const systemClock: Clock = {
  now: () => milliseconds(performance.now()),
  every: (interval, callback) => {
    const timer = setInterval(callback, interval);
    return () => clearInterval(timer);
  },
  // Timers run before the loop looks at its sockets, and this runs after: a time-out that is due
  // is seen only once everything that waited in the sockets was received.
  defer: (callback) => {
    setImmediate(callback);
  },
  soon: (callback) => process.nextTick(callback),
};
