import type { PeerName } from '../../peers/peer.ts';
import { compare } from './compare.ts';
import { generate } from './generate.ts';
import { shrink } from './shrink.ts';
import { describeObservation, describeStep } from './step.ts';

/** What came of one seed. */
export interface SeedOutcome {
  readonly met: readonly string[];
  readonly compared: number;
  /** For people: the shortest history that was found, and what is different; null where nothing is. */
  readonly failure: string | null;
}

/** Runs the history of a seed on ours and on a peer. */
export async function runSeed(peer: PeerName, seed: number): Promise<SeedOutcome> {
  const history = generate(seed);
  const comparison = await compare(peer, history);
  const { met, compared } = comparison;
  if (comparison.difference === null) return { met, compared, failure: null };
  const shortest = await shrink(peer, history, comparison);
  const { difference } = shortest.comparison;
  const lines = [
    `seed ${seed}: ours and ${peer} differ in what SPEC.md does not name`,
    `quotas: ${JSON.stringify(history.quotas)}`,
    ...shortest.history.steps.map((step) => `  ${describeStep(step)}`),
    ...(difference === null
      ? []
      : [
          `    ours: ${describeObservation(difference.ours)}`,
          `  theirs: ${describeObservation(difference.theirs)}`,
        ]),
  ];
  return { met, compared, failure: lines.join('\n') };
}
