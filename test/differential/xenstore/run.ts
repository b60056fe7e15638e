import { parseArgs } from 'node:util';
import { missingFor, type PeerName } from '../../peers/peer.ts';
import { runSeed } from './seeds.ts';

/** What it is asked for, and with which flags. */
export const xenstoreUsage = `npm run sim -- xenstore [--seed N] [--seeds M] [--peer NAME] [--go-on]

Tells random histories to our xenstored and to Debian's, and ends at the first difference that
services/xenstore/SPEC.md does not name, with the shortest history that shows it.

  --seed N      the first seed (1)
  --seeds M     how many seeds are run (1000)
  --peer NAME   xenstored or oxenstored alone; otherwise both
  --go-on       does not end at the first seed that fails
`;

/** The command `xenstore` of the simulations; returns its exit code. Ctrl-C tells what was found. */
export async function runXenstore(args: readonly string[]): Promise<number> {
  const wanted = read(args);
  if (wanted === null) {
    process.stderr.write(xenstoreUsage);
    return 2;
  }
  const missing = wanted.peers.map(missingFor).find((each) => each !== null);
  if (missing !== undefined) {
    process.stderr.write(
      `error: ${missing} is not installed\nwhat to do: apt-get install gcc libxen-dev xen-utils-4.17 xen-utils-common\n`,
    );
    return 2;
  }
  let cancelled = false;
  process.once('SIGINT', () => {
    cancelled = true;
  });
  const met = new Map<string, number>();
  let [seeds, steps, failed] = [0, 0, 0];
  for (let seed = wanted.first; seed < wanted.first + wanted.count && !cancelled; seed += 1) {
    if (failed > 0 && !wanted.goOn) break;
    seeds += 1;
    for (const peer of wanted.peers) {
      const outcome = await runSeed(peer, seed);
      steps += outcome.compared;
      for (const name of outcome.met)
        met.set(`${peer}: ${name}`, (met.get(`${peer}: ${name}`) ?? 0) + 1);
      if (outcome.failure === null) continue;
      failed += 1;
      process.stdout.write(`${outcome.failure}\n`);
    }
  }
  const lines = [...met].sort().map(([name, count]) => `  ${String(count).padStart(6)} ${name}`);
  process.stdout.write(
    `${seeds} seeds, ${steps} steps compared, ${failed} failed\nhistories that met a documented difference:\n${lines.join('\n')}\n`,
  );
  if (failed > 0) return 1;
  return cancelled ? 130 : 0;
}

interface Wanted {
  readonly first: number;
  readonly count: number;
  readonly peers: readonly PeerName[];
  readonly goOn: boolean;
}

function read(args: readonly string[]): Wanted | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1000' },
      peer: { type: 'string' },
      'go-on': { type: 'boolean', default: false },
    },
  });
  const [first = 0, count = 0] = [values.seed, values.seeds].map(Number);
  const peers = (['xenstored', 'oxenstored'] as const).filter(
    (name) => values.peer === undefined || values.peer === name,
  );
  const isGood = [first, count].every((number) => Number.isSafeInteger(number) && number > 0);
  return isGood && peers.length > 0 ? { first, count, peers, goOn: values['go-on'] } : null;
}
