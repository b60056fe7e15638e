import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { BuildFailure } from '../../image/command.ts';

/** Lines of a failed build that are quoted: an error of the compiler has about ten. */
const linesQuoted = 30;

/**
 * Runs `make`, with as little claim on the processor as there is, and hands on each line that it
 * prints. A build that fails is a `BuildFailure` that ends with what it printed last.
 */
export async function make(
  args: readonly string[],
  line: (text: string) => void = () => undefined,
): Promise<void> {
  // A build must not go on beside the next one of the same directory when its builder was killed.
  const command = ['--pdeathsig', 'TERM', '--', 'nice', '-n', '19', 'make', ...args];
  const child = spawn('setpriv', command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  const last: string[] = [];
  const keep = (text: string): void => {
    last.push(text);
    if (last.length > linesQuoted) last.shift();
  };
  createInterface(child.stdout).on('line', line);
  createInterface(child.stderr).on('line', keep);
  const [code] = await once(child, 'close');
  if (code !== 0)
    throw new BuildFailure(`"make ${args.at(-1) ?? ''}" of the kernel failed:\n${last.join('\n')}`);
}
