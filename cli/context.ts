import type { Readable } from 'node:stream';
import { type Milliseconds, milliseconds } from '../base/units.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** Where text goes: a terminal, or a pipe or file. */
export interface TextOutput {
  write(text: string | Uint8Array): void;
  readonly isTty: boolean;
  /** The terminal's size now; elsewhere wide and high enough for anything. */
  readonly columns: number;
  readonly rows: number;
}

/** Where what is typed or piped comes from. */
export interface TextInput {
  readonly stream: Readable;
  readonly isTty: boolean;
  /** Raw: every key arrives at once and unechoed, Ctrl-C included. */
  setRawMode(raw: boolean): void;
}

/**
 * Everything that a command may touch of the world besides the pool. Commands take it as a value, so
 * that a test runs them in its own process.
 */
export interface Context {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly stdin: TextInput;
  /** The command line, without the program. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current directory. */
  readonly directory: string;
  /** Milliseconds since 1970. */
  now(): Milliseconds;
  /** Calls `handler` on Ctrl-C, instead of ending the process, until the returned function is called. */
  onInterrupt(handler: () => void): () => void;
  /** Calls `handler` when the process is told to end; for what must be put right before it does. */
  onTermination(handler: () => void): () => void;
  /**
   * The command is done: the process ends when what was written is out. It does not wait for
   * connections, which a host that hangs could hold open for ever.
   */
  finish(code: ExitCode): void;
  /** Ends the process at once. */
  exit(code: ExitCode): never;
}

/** Columns and rows of what is not a terminal: no line is cut and no list is shortened. */
const unlimited = 10_000;

function output(stream: NodeJS.WriteStream): TextOutput {
  // `flotilla vm list --watch | head` closes the pipe: that is an end, not an error.
  stream.on('error', () => process.exit(exitCodes.done));
  return {
    write: (text) => {
      stream.write(text);
    },
    get isTty() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.isTTY === true ? stream.columns : unlimited;
    },
    get rows() {
      return stream.isTTY === true ? stream.rows : unlimited;
    },
  };
}

/** How a shell counts a process that SIGTERM or SIGHUP ended: 128 + the signal's number. */
const endings = { SIGTERM: 143, SIGHUP: 129 } as const;

function onSignal(signal: NodeJS.Signals, handler: () => void): () => void {
  process.on(signal, handler);
  return () => process.off(signal, handler);
}

/** The process that this is. Its standard streams are opened when they are first used. */
export function processContext(): Context {
  let stdout: TextOutput | undefined;
  let stderr: TextOutput | undefined;
  return {
    get stdout() {
      stdout ??= output(process.stdout);
      return stdout;
    },
    get stderr() {
      stderr ??= output(process.stderr);
      return stderr;
    },
    get stdin() {
      return {
        stream: process.stdin,
        isTty: process.stdin.isTTY === true,
        setRawMode: (raw: boolean) => {
          if (process.stdin.isTTY) process.stdin.setRawMode(raw);
        },
      };
    },
    argv: process.argv.slice(2),
    env: process.env,
    directory: process.cwd(),
    now: () => milliseconds(Date.now()),
    onInterrupt: (handler) => onSignal('SIGINT', handler),
    onTermination: (handler) => {
      const undo = Object.entries(endings).map(([signal, code]) =>
        onSignal(signal as keyof typeof endings, () => {
          handler();
          process.exit(code);
        }),
      );
      process.on('exit', handler);
      return () => {
        for (const each of undo) each();
        process.off('exit', handler);
      };
    },
    finish: (code) => {
      process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
    },
    exit: (code) => process.exit(code),
  };
}
