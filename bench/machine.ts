import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** The first line of what a program says. */
function firstLine(program: string, words: readonly string[]): string {
  return execFileSync(program, words, { encoding: 'utf8' }).split('\n')[0] ?? '';
}

/**
 * What was measured, and on what; the load average tells whether the machine did other things too.
 * Each of `programs` is asked for its version, by these words.
 */
export function describeMachine(
  programs: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, string>> {
  const processors = cpus();
  return {
    processors: `${processors.length} x ${processors[0]?.model ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    kernel: release(),
    node: process.version,
    ...Object.fromEntries(
      Object.entries(programs).map(([program, words]) => [program, firstLine(program, words)]),
    ),
    'load average': loadAverage(),
  };
}

/** Of the last 1, 5 and 15 minutes. */
export function loadAverage(): string {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(' ');
}
