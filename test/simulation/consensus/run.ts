import { parseArgs } from 'node:util';
import { type Bug, bugs } from './bugs.ts';
import { type Batch, runBatch } from './seeds.ts';
import { report, Summary } from './summary.ts';

/** What it is asked for, and with which flags. */
export const consensusUsage = `npm run sim -- consensus [--seed N] [--seeds M] [--jobs J] [--go-on] [--bug NAME]

  --seed N    the first seed (1)
  --seeds M   how many seeds are run (100)
  --jobs J    how many at the same time, each on a thread of its own (1)
  --go-on     does not end at the first seed that fails
  --bug NAME  seeds a bug, which the checks should find: ${bugs.join(', ')}
`;

/** What a batch has come to, as the command's exit code; a cancelled one ends as SIGINT does. */
const exitCodes = { good: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Failed seeds, beside the first, of which it is told what was violated. */
const failuresMax = 20;

/** How often a terminal is told how far it is, in milliseconds. */
const progressInterval = 250;

/** The command `consensus` of the simulations. Ctrl-C ends it with what was found so far. */
export async function runConsensus(args: readonly string[]): Promise<number> {
  const cancelled = new AbortController();
  const batch = readBatch(args, cancelled.signal);
  if (batch === null) {
    process.stderr.write(consensusUsage);
    return exitCodes.usage;
  }
  const cancel = (): void => cancelled.abort();
  process.once('SIGINT', cancel);
  const summary = new Summary();
  const stopTelling = tellProgress(summary, batch.count);
  await runBatch(batch, (outcome) => summary.add(outcome));
  stopTelling();
  process.removeListener('SIGINT', cancel);
  process.stdout.write(`${summary}\n`);
  if (summary.failed.length > 0) {
    tellFailures(summary, batch.bug);
    return exitCodes.failed;
  }
  return cancelled.signal.aborted ? exitCodes.cancelled : exitCodes.good;
}

function readBatch(args: readonly string[], signal: AbortSignal): Batch | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '100' },
      jobs: { type: 'string', default: '1' },
      'go-on': { type: 'boolean', default: false },
      bug: { type: 'string' },
    },
  });
  const bug: Bug | null = bugs.find((name) => name === values.bug) ?? null;
  const numbers = [values.seed, values.seeds, values.jobs].map(Number);
  const [first = 0, count = 0, jobs = 0] = numbers;
  const isGood = numbers.every((number) => Number.isSafeInteger(number) && number > 0);
  if (!isGood || (values.bug !== undefined && bug === null)) return null;
  return { first, count, jobs, bug, goOn: values['go-on'], signal };
}

/** The first seed that failed in full, of some others what was violated. */
function tellFailures({ failed }: Summary, bug: Bug | null): void {
  const [first, ...others] = failed;
  if (first !== undefined) process.stdout.write(`${report(first, bug)}\n`);
  for (const { seed, violation } of others.slice(0, failuresMax))
    process.stdout.write(`seed ${seed}: ${violation?.split('\n')[0]}\n`);
  const rest = others.slice(failuresMax).map(({ seed }) => seed);
  if (rest.length > 0) process.stdout.write(`and seeds ${rest.join(', ')}\n`);
}

/** Shows on a terminal how far the batch is; returns what ends that. */
function tellProgress(summary: Summary, count: number): () => void {
  if (!process.stderr.isTTY) return () => {};
  const began = performance.now();
  const tell = (): void => {
    const pace = summary.seeds / ((performance.now() - began) / 1000);
    const failed = summary.failed.length === 0 ? '' : `, ${summary.failed.length} failed`;
    process.stderr.write(
      `\r\x1b[K${summary.seeds} of ${count} seeds, ${pace.toFixed(1)} per second${failed}`,
    );
  };
  const timer = setInterval(tell, progressInterval);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}
