import { parseArgs } from 'node:util';
import { fuzz, runInput, type Target } from './fuzz.ts';

/** What it is asked for, and with which flags. */
export const fuzzUsage = `npm run sim -- xenstore-fuzz [--target core|ring|wire] [--seed N] [--minutes M] [--input HEX]

Fuzzes our xenstored's core, its ring and its parser, led by V8's coverage, and ends at the first input
that breaks a promise.

  --target NAME  one of them alone; otherwise each has a third of the time
  --seed N       what is tried (1)
  --minutes M    processor time (3)
  --input HEX    runs one input again
`;

/** The command `xenstore-fuzz` of the simulations; returns its exit code. */
export async function runXenstoreFuzz(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '3' },
      input: { type: 'string' },
    },
  });
  const names: readonly Target[] = ['core', 'ring', 'wire'];
  const chosen = names.filter((name) => values.target === undefined || values.target === name);
  const [seed, minutes] = [Number(values.seed), Number(values.minutes)];
  if (chosen.length === 0 || !(seed > 0) || !(minutes > 0)) {
    process.stderr.write(fuzzUsage);
    return 2;
  }
  for (const target of chosen) {
    if (values.input !== undefined) {
      const error = runInput(target, Buffer.from(values.input, 'hex'));
      process.stdout.write(`${target}: ${error ?? 'keeps its promises'}\n`);
      continue;
    }
    const found = await fuzz(target, seed, (minutes * 60) / chosen.length);
    const { inputs, blocks, corpus, failure } = found;
    process.stdout.write(`${target}: ${inputs} inputs, ${blocks} blocks reached, ${corpus} kept\n`);
    if (failure === null) continue;
    process.stdout.write(
      `${failure.error}\nagain: npm run sim -- xenstore-fuzz --target ${target} --input ${failure.input}\n`,
    );
    return 1;
  }
  return 0;
}
