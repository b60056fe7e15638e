import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as v from 'valibot';
import { type Bytes, bytes, milliseconds } from '../../base/units.ts';
import type { Clock } from '../ports.ts';

/** How often the process looks how much it has to do. */
const interval = milliseconds(1000);

/**
 * Operations a second: above the one number it is busy, below the other at rest. Processor time would tell
 * as much, if a member that is asked nothing took the same everywhere: it is 0.01 to 0.03 of a processor
 * of its own, and 0.1 where processors are emulated and shared.
 */
const busyRate = 100;
const restRate = 20;

/**
 * Looks at rest after which a busy time counts as over. The thorough collection drops V8's compiled code
 * with the hidden classes that nothing is of at that moment: of the calls that come next, a hundred in
 * flight, a member served 6,500 a second for the first two seconds and 13,000 to 18,000 before. So it
 * is for members that really rest, not for each pause of their clients.
 */
const looksAtRest = 30;

/**
 * The heap of a larger store is left to V8: to collect it at once would stop the process for too long.
 * What counts is what is alive. Garbage costs next to nothing: 410 MiB of heap with 38 MiB alive took
 * 68 ms of processor time, and 160 MiB of it took 84.
 */
const storeBytesMax = bytes(192 * 2 ** 20);

/**
 * What may be alive, after the first collection, for a thorough one to follow: that stops the process
 * for three milliseconds for each MiB, and a member that is silent for longer is missed.
 */
const aliveBytesMax = bytes(64 * 2 ** 20);

/** What is asked of the process. */
export interface Process {
  /** What it has done since its start: commands that it applied, and calls that it has taken. */
  operations(): number;
  heapUsed(): Bytes;
  /** What the store is taken to occupy of the heap. */
  storeSize(): Bytes;
  /** Collects garbage. `thorough`: and gives back what is free. */
  collect(thorough: boolean): void;
}

/**
 * V8 lets a heap grow to several times what is alive in it before it collects, which is what makes it
 * fast, and then leaves it so. Once a busy time is over, this collects what it has left and gives the
 * memory back. Returns what stops it.
 */
export function collectAtRest(clock: Clock, process: Process): () => void {
  let before = process.operations();
  let wasBusy = true;
  let atRest = 0;
  let followUp = false;
  return clock.every(interval, () => {
    const now = process.operations();
    const done = now - before;
    before = now;
    if (done > busyRate) wasBusy = true;
    atRest = done < restRate ? atRest + 1 : 0;
    if (atRest < looksAtRest) return;
    if (followUp) process.collect(true);
    followUp = false;
    if (!wasBusy) return;
    wasBusy = false;
    if (process.storeSize() > storeBytesMax) return;
    process.collect(false);
    followUp = process.heapUsed() <= aliveBytesMax;
  });
}

/** V8's own collector (src/extensions/gc-extension.h). */
type Collector = (options: {
  readonly type: 'major';
  readonly execution: 'sync';
  readonly flavor: 'regular' | 'last-resort';
}) => void;

const CollectorSchema = v.custom<Collector>((found) => typeof found === 'function');

/**
 * V8 shows its collector to contexts that are made while it has this flag. A process that is started with
 * it takes none of the compiled code that Node brings of its own modules, as that is of other flags: the
 * linked program of a member took a third longer until it served.
 */
function collector(): Collector {
  setFlagsFromString('--expose-gc');
  const found = v.parse(CollectorSchema, runInNewContext('gc'));
  setFlagsFromString('--no-expose-gc');
  return found;
}

let collect: Collector | null = null;

/** This process. */
export const thisProcess: Omit<Process, 'storeSize' | 'operations'> = {
  heapUsed: () => bytes(getHeapStatistics().used_heap_size),
  collect: (thorough) => {
    const flavor = thorough ? 'last-resort' : 'regular';
    collect ??= collector();
    collect({ type: 'major', execution: 'sync', flavor });
  },
};
