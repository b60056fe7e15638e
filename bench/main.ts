/**
 * `npm run bench`: ours beside what a user would take instead, in one run on one machine, as ratios.
 * `npm run bench -- consensus --quick` runs one of them, with its own flags.
 */
import { benchConsensus } from './consensus/bench.ts';
import { benchGuests } from './guests/bench.ts';
import { benchVmStart } from './vm-start.ts';
import { benchWatchers } from './watchers.ts';
import { benchXenstore } from './xenstore/bench.ts';

/** A bench, and the flags that it takes. */
interface Bench {
  readonly run: (words: readonly string[]) => Promise<void>;
  readonly flags: string;
}

const benches: Readonly<Record<string, Bench>> = {
  consensus: {
    run: benchConsensus,
    flags: '[--quick] [--profile] [--json FILE] [--directory DIRECTORY]',
  },
  guests: {
    run: benchGuests,
    flags:
      '[--quick] [--service NAME]... [--arch NAME]... [--kernel specialised|cloud] [--without-debian] [--json FILE]',
  },
  'vm-start': { run: benchVmStart, flags: '' },
  watchers: { run: benchWatchers, flags: '[--seconds NUMBER]' },
  xenstore: {
    run: benchXenstore,
    flags: '[--quick] [--only WORDS] [--json FILE] [--directory DIRECTORY]',
  },
};

const names = Object.keys(benches);
const [asked, ...words] = process.argv.slice(2);
const asksHelp = (word: string | undefined) => word === '--help' || word === '-h';

if (asked === undefined) for (const { run } of Object.values(benches)) await run([]);
else if (asksHelp(asked))
  process.stdout.write(
    `npm run bench\n    all of them, one after another\n${names.map(usage).join('')}`,
  );
else {
  const bench = benches[asked];
  if (bench === undefined)
    refuse(`no bench is named ${asked}`, `choose of ${names.join(', ')}, or ask with --help`);
  else if (words.some(asksHelp)) process.stdout.write(usage(asked));
  else
    await bench.run(words).catch((error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
      const { flags } = bench;
      refuse(error.message, flags === '' ? 'it takes no flags' : `its flags are ${flags}`);
    });
}

function usage(name: string): string {
  return `npm run bench -- ${name} ${benches[name]?.flags ?? ''}`.trimEnd().concat('\n');
}

function refuse(what: string, remedy: string): never {
  process.stderr.write(`error: ${what}\nwhat to do: ${remedy}\n`);
  process.exit(2);
}
