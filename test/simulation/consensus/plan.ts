import type { Random } from '../../../base/random.ts';
import { bytes, milliseconds } from '../../../base/units.ts';
import { defaultLimits, type NodeLimits } from '../../../consensus/driver/limits.ts';
import type { NetworkFaults } from './network.ts';

/** What a seed decides at the beginning. */
export interface Plan {
  /** How many members the pool has. */
  readonly members: number;
  readonly clients: number;
  readonly limits: NodeLimits;
  readonly faults: NetworkFaults;
  /** How likely a member crashes in the moment of an election. */
  readonly strikes: number;
}

/** How long things go wrong, and how long everything then has to recover, in milliseconds. */
export const faultyTime = 5000;
export const calmTime = 5000;

/** Draws a plan. Most pools have three or five members, like most pools. */
export function drawPlan(random: Random): Plan {
  return {
    members: random.pick([1, 2, 3, 3, 3, 4, 5, 5, 5, 6, 7]),
    clients: 1 + random.below(5),
    limits: {
      ...defaultLimits,
      // Time-outs close to one another make members stand for election at once.
      electionTimeoutMax: milliseconds(random.pick([260, 300, 500])),
      appendEntriesMax: random.pick([1, 2, 5, 1000]),
      appendBytesMax: bytes(random.pick([100, 1000, 100_000])),
      inflightMessagesMax: random.pick([1, 4, 64]),
      snapshotEntries: random.pick([10, 30, 100_000]),
      trailingEntries: random.pick([0, 5, 20]),
      requestTimeout: milliseconds(1500),
    },
    faults: {
      loss: random.pick([0, 0.01, 0.1, 0.25]),
      duplication: random.pick([0, 0.05, 0.2]),
      delayMin: 1,
      delayMax: random.pick([2, 10, 40]),
      straggler: random.pick([0, 0.02, 0.1]),
      stragglerDelay: random.pick([100, 1000]),
    },
    strikes: random.pick([0, 0.02, 0.3, 0.6]),
  };
}
