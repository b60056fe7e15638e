import { getHeapStatistics } from 'node:v8';
import { type Bytes, bytes, type Milliseconds, milliseconds } from '../../base/units.ts';
import type { Clock } from '../ports.ts';

/** How often the process looks how much it has to do. */
const interval = milliseconds(1000);

/** Shares of a processor: above the one it is busy, below the other at rest. */
const busyShare = 0.25;
const restShare = 0.1;

/** Looks at rest after which a busy time counts as over. */
const looksAtRest = 2;

/** A larger heap is left to V8: to collect it at once would stop the process for too long. */
const heapBytesMax = bytes(160 * 2 ** 20);

/**
 * The longest first collection after which a thorough one follows, which takes three times as long:
 * less than the time after which followers miss their leader.
 */
const firstCollectionMax = milliseconds(60);

/** What is asked of the process. */
export interface Process {
  /** Processor time since its start, of all threads. */
  processorTime(): Milliseconds;
  heapUsed(): Bytes;
  /** Collects garbage, and returns how long that took. `thorough`: and gives back what is free. */
  collect(thorough: boolean): Milliseconds;
}

/**
 * V8 lets a heap grow to several times what is alive in it before it collects, which is what makes it
 * fast, and then leaves it so. Once a busy time is over, this collects what it has left and gives the
 * memory back. Returns what stops it.
 */
export function collectAtRest(clock: Clock, process: Process): () => void {
  let before = process.processorTime();
  let wasBusy = true;
  let atRest = 0;
  let followUp = false;
  return clock.every(interval, () => {
    const now = process.processorTime();
    const share = (now - before) / interval;
    before = now;
    if (share > busyShare) wasBusy = true;
    atRest = share < restShare ? atRest + 1 : 0;
    if (followUp) {
      followUp = false;
      if (atRest > 0) process.collect(true);
    } else if (wasBusy && atRest >= looksAtRest) {
      wasBusy = false;
      const took = process.heapUsed() > heapBytesMax ? null : process.collect(false);
      followUp = took !== null && took <= firstCollectionMax;
    }
    // What was spent on collecting is not work.
    before = process.processorTime();
  });
}

/** This process; nothing is collected unless Node was started with `--expose-gc`. */
export const thisProcess: Process = {
  processorTime: () => {
    const { user, system } = globalThis.process.cpuUsage();
    return milliseconds((user + system) / 1000);
  },
  heapUsed: () => bytes(getHeapStatistics().used_heap_size),
  collect: (thorough) => {
    const start = performance.now();
    const flavor = thorough ? 'last-resort' : 'regular';
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor });
    return milliseconds(performance.now() - start);
  },
};
