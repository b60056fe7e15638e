import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { fail, ok } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { Context, TextOutput } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { hostImageCommand } from '../host-image/command.ts';
import { hostVerifyCommand } from '../host-image/verify.ts';
import { hostSeedCommand } from '../host-seed/command.ts';
import { imageCommand } from '../image/command.ts';
import {
  completeCommand,
  completionCommand,
  hostCommand,
  operationCommand,
  poolCommand,
  vmCommand,
} from '../index.ts';
import type { DatabaseParts } from '../pool/command.ts';
import { xenstoreCommand } from '../xenstore/command.ts';
import { simulatedNow } from './simulated-state.ts';

/** A command line that is run in this process, as if a person or a script had run it. */
export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  /** What is typed or piped. */
  readonly stdin: PassThrough;
  /** Whether the terminal is in raw mode. */
  readonly raw: boolean;
  /** Ctrl-C. */
  interrupt(): void;
  /** When it has ended. */
  readonly exitCode: Promise<ExitCode>;
}

/** What a run differs in from a script's on a machine where no pool was found. */
export interface RunSettings {
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly env?: Context['env'];
  readonly directory?: string;
}

/** Thrown where the process would have ended. */
class Exit extends Error {
  readonly code: ExitCode;
  constructor(code: ExitCode) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Begins to run `flotilla ...argv`. */
export function run(argv: readonly string[], settings: RunSettings = {}): Run {
  const terminal = settings.terminal ?? false;
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written): TextOutput => ({
    write: (text) => {
      written[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    },
    isTty: terminal,
    columns: settings.columns ?? 100,
    rows: 40,
  });
  const interrupts = new Set<() => void>();
  const stdin = new PassThrough();
  let code: ExitCode = 0;
  let raw = false;
  const context: Context = {
    stdout: output('stdout'),
    stderr: output('stderr'),
    stdin: {
      stream: stdin,
      isTty: terminal,
      setRawMode: (on) => {
        raw = on;
      },
    },
    argv,
    env: { LANG: 'C.UTF-8', NO_COLOR: '1', ...settings.env },
    directory: settings.directory ?? '/',
    now: () => milliseconds(simulatedNow),
    onInterrupt: (handler) => {
      interrupts.add(handler);
      return () => interrupts.delete(handler);
    },
    onTermination: () => () => {},
    finish: (chosen) => {
      code = chosen;
    },
    exit: (chosen) => {
      throw new Exit(chosen);
    },
  };
  const end = async (): Promise<ExitCode> => {
    try {
      await program(context).parseAsync([...argv], { from: 'user' });
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      return error.code;
    }
    return code;
  };
  return {
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    get raw() {
      return raw;
    },
    stdin,
    interrupt: () => {
      for (const handler of interrupts) handler();
    },
    exitCode: end(),
  };
}

/** Runs `flotilla ...argv` to its end, and writes down what a person would have seen of it. */
export async function transcript(
  argv: readonly string[],
  settings: RunSettings = {},
): Promise<string> {
  const ran = run(argv, settings);
  const exitCode = await ran.exitCode;
  return [
    `$ flotilla ${argv.filter((word) => !/^(--pool|127\.0\.0\.1:.*)$/.test(word)).join(' ')}`,
    ...(ran.stdout === '' ? [] : [ran.stdout.trimEnd()]),
    ...(ran.stderr === '' ? [] : ['--- stderr', ran.stderr.trimEnd()]),
    `--- exit code ${exitCode}`,
  ].join('\n');
}

/** What the root program gives to `flotilla pool`, for files that hold their own description. */
const simulatedParts: Omit<DatabaseParts, 'restore'> = {
  describeSnapshot: async (path) => {
    const text = readFileSync(path, 'utf8').split('\n')[0] ?? '';
    return text.startsWith('{')
      ? ok({ ...JSON.parse(text), digest: 'd1'.repeat(32) })
      : fail(`${path} cannot be restored from: it is not a saved pool database`);
  },
};

function program(context: Context): Command {
  return new Command('flotilla')
    .enablePositionalOptions()
    .addCommand(vmCommand(context))
    .addCommand(
      hostCommand(context)
        .addCommand(hostSeedCommand(context))
        .addCommand(hostImageCommand(async () => fail('no host image is built here'), context))
        .addCommand(hostVerifyCommand(context)),
    )
    .addCommand(operationCommand(context))
    .addCommand(poolCommand({ ...simulatedParts, restore: new Command('restore') }, context))
    .addCommand(xenstoreCommand(context))
    .addCommand(imageCommand(async () => fail('no image is built here'), context))
    .addCommand(completionCommand(context))
    .addCommand(completeCommand(context), { hidden: true });
}

/** Waits until `condition` holds; ava's own time-out is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

// Times in golden files are those of UTC, wherever the tests run.
process.env.TZ = 'UTC';
