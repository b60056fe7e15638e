/** Runs a simulation by name: `npm run sim -- consensus --seed 7 --seeds 1000`. */
import { runXenstore, xenstoreUsage } from '../differential/xenstore/run.ts';
import { fuzzUsage, runXenstoreFuzz } from '../fuzz/xenstore/run.ts';
import { consensusUsage, runConsensus } from './consensus/run.ts';

interface Simulation {
  /** Returns the exit code; rejects where the words are none that `parseArgs` knows. */
  readonly run: (words: readonly string[]) => Promise<number>;
  readonly usage: string;
}

const simulations: Readonly<Record<string, Simulation>> = {
  consensus: { run: runConsensus, usage: consensusUsage },
  xenstore: { run: runXenstore, usage: xenstoreUsage },
  'xenstore-fuzz': { run: runXenstoreFuzz, usage: fuzzUsage },
};

const [name = '', ...words] = process.argv.slice(2);
const simulation = Object.hasOwn(simulations, name) ? simulations[name] : undefined;
const asksHelp = (word: string) => word === '--help' || word === '-h';

if (asksHelp(name))
  process.stdout.write(
    Object.values(simulations)
      .map(({ usage }) => usage)
      .join('\n'),
  );
else if (simulation === undefined)
  refuse(`name a simulation: ${Object.keys(simulations).join(', ')}; or ask with --help`);
else if (words.some(asksHelp)) process.stdout.write(simulation.usage);
else
  process.exitCode = await simulation.run(words).catch((error: NodeJS.ErrnoException) => {
    if (error.code?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    return refuse(`${error.message}\n\n${simulation.usage.trimEnd()}`);
  });

/** Says what is wrong; returns the exit code of wrong usage. */
function refuse(message: string): number {
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
  return 2;
}
