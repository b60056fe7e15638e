import { execFile } from 'node:child_process';
import { fail, ok, type Result } from './result.ts';
import type { Milliseconds } from './units.ts';

/** Most that a command may print; a list of a full host's 8000 interfaces takes about 12 MB. */
const outputBytesMax = 32 * 2 ** 20;

/** How a command failed, in words for an operator. */
export interface CommandFailure {
  /** `missing`: it is not installed. `refused`: it ran and said no. `slow`: it was killed. */
  readonly kind: 'missing' | 'refused' | 'slow';
  /** The command line, for people. */
  readonly command: string;
  /** What it printed on stderr, on one line; empty if nothing. */
  readonly detail: string;
}

/**
 * Runs a program without a shell, so that no argument is ever read as anything else, and returns
 * what it printed. Its messages are in English (`LC_ALL=C`) and the folders of system programs are
 * on its path, whoever started us. It is killed after `timeout`.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  timeout: Milliseconds,
): Promise<Result<string, CommandFailure>> {
  const command = [program, ...args].join(' ');
  const env = { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
  const options = { timeout, maxBuffer: outputBytesMax, killSignal: 'SIGKILL', env } as const;
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(ok(stdout));
      const kind = error.code === 'ENOENT' ? 'missing' : error.killed === true ? 'slow' : 'refused';
      const detail = stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
      return resolve(fail({ kind, command, detail }));
    });
  });
}
