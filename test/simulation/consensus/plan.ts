import type { Random } from '../../../base/random.ts';
import { bytes, milliseconds } from '../../../base/units.ts';
import { defaultLimits, type NodeLimits } from '../../../consensus/driver/limits.ts';
import type { NetworkFaults } from './network.ts';

/** What a seed decides at the beginning. */
export interface Plan {
  /** How many members the pool begins with. */
  readonly members: number;
  /** What the log drives: the pool database's store, or a chain of commands, which is quicker. */
  readonly machine: 'store' | 'chain';
  readonly clients: number;
  readonly watchers: number;
  readonly leaseHolders: number;
  readonly limits: NodeLimits;
  readonly faults: NetworkFaults;
  /** How likely a member crashes in the moment of an election, or of a snapshot's arrival. */
  readonly strikes: number;
  /** Longest time between two changes of the membership, in milliseconds; null: none are made. */
  readonly changeEvery: number | null;
}

/** The times of a run, in milliseconds from its beginning. */
export const schedule = {
  /** From now on nothing goes wrong any more, and leases are neither granted nor renewed. */
  calm: 5000,
  /** The clients stop. */
  quiet: 8500,
  /** The leadership is handed to whoever came last. */
  handOver: 9500,
  /** Everything must be at rest, and as it should be. */
  end: 11_000,
} as const;

/** Draws a plan. Most pools have three or five members, like most pools. */
export function drawPlan(random: Random): Plan {
  return {
    members: random.pick([1, 2, 3, 3, 3, 4, 5, 5, 5, 6, 7]),
    machine: random.pick(['store', 'chain']),
    clients: 1 + random.below(5),
    watchers: 1 + random.below(3),
    leaseHolders: 1 + random.below(3),
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
    changeEvery: random.pick([null, null, 300, 1000, 2000]),
  };
}
