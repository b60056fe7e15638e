import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bug } from './bugs.ts';
import { type Outcome, Simulation } from './simulation.ts';

/**
 * Runs one seed. What was thrown where nobody waits for it, as in work that a member leaves to
 * itself, is a finding like any other; it shows once the run is over.
 */
export async function runSeed(seed: number, bug: Bug | null): Promise<Outcome> {
  const stray: unknown[] = [];
  const note = (reason: unknown): number => stray.push(reason);
  process.on('unhandledRejection', note);
  const outcome = await new Simulation(seed, bug).run();
  await nextTurn();
  process.removeListener('unhandledRejection', note);
  const [first] = stray;
  if (outcome.violation !== null || stray.length === 0) return outcome;
  return { ...outcome, violation: first instanceof Error ? first.message : String(first) };
}
