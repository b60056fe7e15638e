/** A thread that runs one seed after another, as it is told. */
import { parentPort } from 'node:worker_threads';
import { present } from '../../../base/assert.ts';
import type { Bug } from './bugs.ts';
import { runSeed } from './run-seed.ts';

/** What a thread is told to run. */
export interface Order {
  readonly seed: number;
  readonly bug: Bug | null;
}

const port = present(parentPort, 'a worker runs in a thread');

port.on('message', ({ seed, bug }: Order) => {
  void runSeed(seed, bug).then((outcome) => {
    // Only who reads why a seed has failed needs to know what happened.
    port.postMessage(outcome.violation === null ? { ...outcome, trace: [] } : outcome);
  });
});
