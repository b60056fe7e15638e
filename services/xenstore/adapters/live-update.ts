import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import { unixSocket, XenstoreClient } from '../client/index.ts';
import type { XenstoreError } from '../core/error.ts';
import { Store } from '../core/store.ts';
import { decodeImage } from '../migration/decode.ts';
import type { Daemon } from './daemon.ts';
import type { Journal } from './journal.ts';

/** Set for a process that is handed the descriptors and the state of the one that it was. */
export const handedOverVariable = 'FLOTILLA_XENSTORED_HANDED_OVER';

/**
 * How long a new program may take to show that it can read the state, unless `-t` says otherwise. It costs
 * nobody anything, and a start takes a minute where processors are emulated and shared.
 */
const patience: Milliseconds = milliseconds(180_000);

/** How long who asks for it waits: that, and until the new program serves, which answers. */
const askerPatience: Milliseconds = milliseconds(2 * patience);

/** A program that Node runs: a script, and what follows it on the command line. */
export interface Program {
  readonly script: string;
  readonly parameters: readonly string[];
}

/** What a live update works on. */
export interface LiveUpdateParts {
  readonly daemon: Daemon;
  readonly journal: Journal;
  /** The program that runs now. */
  readonly program: Program;
  /** The descriptor that listens, and that of the event channels; null where there is none. */
  descriptors(): { readonly listening: number | null; readonly eventChannels: number | null };
  /** Has a descriptor stay open when this process becomes another program. */
  keepOpen(descriptor: number): Result<void, string>;
  /** Makes this process another program; it does not return. */
  become(program: Program): void;
}

type Answer = Result<string, XenstoreError>;

/**
 * Replaces the program of this process by another one, or by itself, which goes on with everything:
 * clients and watches, open transactions, packets that are half read or half written. First the new
 * program is asked whether it can read the state, while this one serves on; where it cannot, nothing
 * has happened. Then the state is written as a snapshot, so that it is there whatever comes after.
 *
 * It is asked for as C xenstored is (tools/xs-clients/xenstore_control.c): `-f FILE` and `-c WORDS`
 * choose the program and its command line, `-s` starts, `-a` forgets. Of `-s`, `-t SECONDS` bounds how
 * long the new program is waited for, `-F` does not ask it, and `-v VERSION` is of no use here. Open
 * transactions are no reason to wait.
 */
export class LiveUpdate {
  readonly #parts: LiveUpdateParts;
  #script: string | null = null;
  #parameters: readonly string[] | null = null;
  #busy = false;

  constructor(parts: LiveUpdateParts) {
    this.#parts = parts;
  }

  /** Answers CONTROL `live-update`; after a start that succeeds, the new program does. */
  async control([verb, ...rest]: readonly string[]): Promise<Answer> {
    if (this.#busy) return ok('BUSY');
    const [value] = rest;
    switch (verb) {
      case '-f':
        if (value === undefined || rest.length > 1) return fail('EINVAL');
        return this.#choose(value);
      case '-c':
        if (value === undefined || rest.length > 1) return fail('EINVAL');
        this.#parameters = value.split(/\s+/).filter((word) => word !== '');
        return ok('OK');
      case '-a':
        this.#script = null;
        this.#parameters = null;
        return ok('OK');
      case '-s': {
        const options = startOptions(rest);
        return options === null ? fail('EINVAL') : this.#start(options);
      }
      default:
        return fail('EINVAL');
    }
  }

  #choose(script: string): Answer {
    try {
      accessSync(script, constants.R_OK);
    } catch {
      return ok('File not accessible.');
    }
    this.#script = script;
    return ok('OK');
  }

  async #start({ forced, within }: StartOptions): Promise<Answer> {
    const { program } = this.#parts;
    const next = {
      script: this.#script ?? program.script,
      parameters: this.#parameters ?? program.parameters,
    };
    this.#busy = true;
    const able = forced ? ok(undefined) : await this.#isAble(next, within);
    const failed = able.ok ? await this.#handOver(next) : able.error;
    this.#busy = false;
    return ok(failed);
  }

  /** Has the program read a snapshot of now. */
  async #isAble({ script }: Program, within: Milliseconds): Promise<Result<void, string>> {
    const { journal, daemon } = this.#parts;
    const written = await journal.snapshot(daemon.image());
    if (!written.ok) return written;
    const words = [...process.execArgv, script, 'xenstored', '--check-state', journal.newest];
    return new Promise((resolve) => {
      execFile(process.execPath, words, { timeout: within, env: withCache() }, (error, _, said) => {
        if (error === null) resolve(ok(undefined));
        else
          resolve(fail(`${script} cannot go on with the state: ${said.trim() || error.message}`));
      });
    });
  }

  /** Returns only where it fails, with a sentence: the one that was asked goes on then. */
  async #handOver(program: Program): Promise<string> {
    const { journal, daemon, descriptors, become } = this.#parts;
    await new Promise(setImmediate);
    // Everything from here on happens at once, between two events: nobody is served any more.
    const { listening, eventChannels } = descriptors();
    const image = daemon.image({ listening, eventChannels });
    const open = [...image.links.values()].flatMap((link) =>
      link.kind === 'socket' ? [link.descriptor] : [],
    );
    journal.snapshotAtOnce(image);
    for (const descriptor of [listening, eventChannels, ...open]) {
      if (descriptor === null) continue;
      const kept = this.#parts.keepOpen(descriptor);
      if (!kept.ok) return `descriptor ${descriptor} cannot be kept open: ${kept.error}`;
    }
    become(program);
    return 'the new program did not begin';
  }
}

interface StartOptions {
  readonly forced: boolean;
  readonly within: Milliseconds;
}

function startOptions(words: readonly string[]): StartOptions | null {
  let options: StartOptions = { forced: false, within: patience };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === '-F') options = { ...options, forced: true };
    else if (word === '-t' || word === '-v') {
      index += 1;
      const value = words[index] ?? '';
      if (!/^\d{1,6}$/.test(value)) return null;
      if (word === '-t') options = { ...options, within: milliseconds(Number(value) * 1_000) };
    } else return null;
  }
  return options;
}

/**
 * The environment of the new program. What it compiles when it is asked whether it can read the state it
 * need not compile when clients wait for it.
 */
function withCache(): NodeJS.ProcessEnv {
  const { directory } = enableCompileCache();
  return directory === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: directory };
}

/** Makes this process another program, with all that is to stay open. It does not return. */
export function become({ script, parameters }: Program): void {
  const words = [process.execPath, ...process.execArgv, script, ...parameters];
  const environment = { ...withCache(), [handedOverVariable]: '1' };
  process.execve?.(process.execPath, words, environment);
}

/** Whether this program can go on with a snapshot. The failure is a sentence. */
export function checkedState(file: string): Result<void, string> {
  const image = decodeImage(readFileSync(file));
  if (!image.ok) return image;
  const faults = Store.from(image.value.store).check();
  return faults.length === 0 ? ok(undefined) : fail(faults.join('\n'));
}

/** Asks the xenstored of a socket for a live update; to a program, where one is given. */
export async function askForLiveUpdate(
  socket: string,
  program: string | null,
): Promise<Result<void, string>> {
  const opened = await XenstoreClient.open(unixSocket(socket), {
    timeout: askerPatience,
    controlTimeout: askerPatience,
  });
  if (!opened.ok) return fail(opened.error.message);
  const client = opened.value;
  const asked = program === null ? ok('OK') : await client.control('live-update', '-f', program);
  const done = asked.ok && asked.value === 'OK' ? await client.control('live-update', '-s') : asked;
  client.close();
  if (!done.ok) return fail(done.error.message);
  return done.value === 'OK' ? ok(undefined) : fail(done.value);
}
