/** Runs a simulation by name: `npm run sim -- consensus --seed 7 --seeds 1000`. */
import { runXenstore } from '../differential/xenstore/run.ts';
import { runXenstoreFuzz } from '../fuzz/xenstore/run.ts';
import { runConsensus } from './consensus/run.ts';

const simulations: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  consensus: runConsensus,
  xenstore: runXenstore,
  'xenstore-fuzz': runXenstoreFuzz,
};

const [name = '', ...rest] = process.argv.slice(2);
const run = Object.hasOwn(simulations, name) ? simulations[name] : undefined;
if (run === undefined) {
  process.stderr.write(`name a simulation: ${Object.keys(simulations).join(', ')}\n`);
  process.exitCode = 2;
} else process.exitCode = await run(rest);
