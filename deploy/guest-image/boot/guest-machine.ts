import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { emulatorOf, type MachinePlan } from './emulator.ts';

/** A guest that runs. It ends with `kill`. */
export interface GuestMachine {
  /** What it has said on its console, a line each. */
  readonly lines: readonly string[];
  /** Waits until it says something like this; rejects with what it said when it ends before, or is too slow. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Milliseconds since the emulator was started. */
  readonly elapsed: () => number;
  kill(): Promise<void>;
}

/** Guests have been seen to take two minutes where four emulators shared two processors. */
const patience = 600_000;

/** Lines that are quoted when the guest does not say what is awaited. */
const quoted = 30;

/** Starts the guest with the memory that its manifest asks for. Software emulation, always. */
export function startGuest(plan: MachinePlan): GuestMachine {
  const started = performance.now();
  const { program, words } = emulatorOf(plan);
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const looks = new Set<() => void>();
  const take = (line: string): void => {
    lines.push(line.trimEnd());
    for (const look of looks) look();
  };
  createInterface(child.stdout).on('line', take);
  createInterface(child.stderr).on('line', take);
  const ended = Promise.race([once(child, 'close'), once(child, 'error')]).then(() => undefined);
  return {
    lines,
    elapsed: () => performance.now() - started,
    says: (pattern) => awaited(pattern, lines, looks, ended),
    kill: () => killed(child, ended),
  };
}

async function awaited(
  pattern: RegExp,
  lines: readonly string[],
  looks: Set<() => void>,
  ended: Promise<void>,
): Promise<RegExpExecArray> {
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
  let at = 0;
  const look = (): void => {
    for (; at < lines.length; at += 1) {
      const found = pattern.exec(lines[at] ?? '');
      if (found !== null) resolve(found);
    }
  };
  const refuse = (why: string) => (): void =>
    reject(
      new Error(`${why}; awaited ${pattern}; it said last:\n${lines.slice(-quoted).join('\n')}`),
    );
  const timer = setTimeout(refuse('the guest is too slow'), patience);
  looks.add(look);
  look();
  void ended.then(refuse('the guest has ended'));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    looks.delete(look);
  }
}

async function killed(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}
