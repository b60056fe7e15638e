/**
 * `npm run bench`: ours beside what a user would take instead, in one run on one machine, as ratios.
 * `npm run bench -- consensus --quick` runs one of them, with its own flags.
 */
import { benchConsensus } from './consensus/bench.ts';
import { benchGuests } from './guests/bench.ts';
import { benchVmStart } from './vm-start.ts';
import { benchWatchers } from './watchers.ts';
import { benchXenstore } from './xenstore/bench.ts';

const benches: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  consensus: benchConsensus,
  guests: benchGuests,
  'vm-start': benchVmStart,
  watchers: benchWatchers,
  xenstore: benchXenstore,
};

const [asked, ...words] = process.argv.slice(2);
if (asked === undefined) for (const bench of Object.values(benches)) await bench([]);
else {
  const bench = benches[asked];
  if (bench === undefined) {
    process.stderr.write(
      `error: no bench is named ${asked}\nwhat to do: choose of ${Object.keys(benches).join(', ')}\n`,
    );
    process.exit(2);
  }
  await bench(words);
}
