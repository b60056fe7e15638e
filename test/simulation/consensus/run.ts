import { parseArgs } from 'node:util';
import { type Bug, bugs } from './bugs.ts';
import { type Outcome, Simulation } from './simulation.ts';

/** Runs seeds one after another until one fails. */
export async function runSeeds(
  first: number,
  count: number,
  bug: Bug | null,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await new Simulation(seed, bug).run();
    outcomes.push(outcome);
    if (outcome.violation !== null) break;
  }
  return outcomes;
}

/** What to do about a failed seed, and what led to it. */
export function report(outcome: Outcome): string {
  const { seed, step, violation, trace } = outcome;
  return [
    ...trace.slice(-40),
    `seed ${seed} failed at step ${step}: ${violation}`,
    `run it again: npm run sim -- consensus --seed ${seed} --seeds 1`,
  ].join('\n');
}

/** The command `consensus` of the simulations: --seed N, --seeds M, --bug NAME. */
export async function runConsensus(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '100' },
      bug: { type: 'string' },
    },
  });
  const bug = bugs.find((name) => name === values.bug) ?? null;
  if (values.bug !== undefined && bug === null) {
    process.stderr.write(`--bug is one of ${bugs.join(', ')}\n`);
    return 2;
  }
  const outcomes = await runSeeds(Number(values.seed), Number(values.seeds), bug);
  const failed = outcomes.find(({ violation }) => violation !== null);
  const sum = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  process.stdout.write(
    `${outcomes.length} seeds, ${sum(({ step }) => step)} steps, ${sum(({ crashes }) => crashes)} ` +
      `crashes, ${sum(({ writes }) => writes)} writes and ${sum(({ reads }) => reads)} reads checked\n`,
  );
  if (failed === undefined) return 0;
  process.stdout.write(`${report(failed)}\n`);
  return 1;
}

if (import.meta.main) process.exitCode = await runConsensus(process.argv.slice(2));
