import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { neverRan, nextRestart, type RestartHistory } from '../../base/restart.ts';
import { bytes, type Milliseconds, milliseconds } from '../../base/units.ts';

/** What is known of a process that is kept running. */
export type ProcessState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'serving'; readonly pid: number }
  | { readonly kind: 'waiting'; readonly reason: string; readonly wait: Milliseconds }
  /** It said that its configuration is wrong: starting it again soon would change nothing. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'stopped'; readonly reason: string };

/** How a process is run. */
export interface ProcessSettings {
  readonly arguments: readonly string[];
  readonly log: string;
  readonly restart: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly onState: (state: ProcessState) => void;
}

/** A log that has grown over this is set aside (one generation) when its process starts. */
const logSizeMax = bytes(16 * 2 ** 20);

/** After this a process that was asked to end is killed. */
const stopPatience = milliseconds(8_000);

/** What is kept of the standard error of a run: its first lines, where programs say what is wrong. */
const complaintLines = 20;

/** The exit code of a program that refuses its configuration. */
const wrongConfiguration = 2;

/**
 * A program that refused is tried again so seldom: somebody may have mended what it refused, such as
 * that a member of the database is to join and nobody has added it.
 */
const refusedRetry = milliseconds(20_000);

/** Keeps one process running until it is told to stop. */
export class KeptProcess {
  readonly #settings: ProcessSettings;
  #history: RestartHistory = neverRan;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;
  /** The operator wants another run: this one's end is no failure. */
  #restarting = false;
  #complaint: readonly string[] = [];

  constructor(settings: ProcessSettings) {
    this.#settings = settings;
    this.#start();
  }

  /** Asks the process to end, and sees that it does. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#child !== null) await endOf(this.#child);
  }

  /** Ends the process as `stop` does, and starts it anew at once, whatever it waited for. */
  async restart(): Promise<void> {
    if (this.#stopping || this.#restarting) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#history = neverRan;
    if (this.#child === null) return this.#start();
    this.#restarting = true;
    await endOf(this.#child);
  }

  #start(): void {
    this.#settings.onState({ kind: 'starting' });
    const log = openLog(this.#settings.log);
    const startedAt = performance.now();
    this.#complaint = [];
    // The child holds the reading end of a pipe whose writing end is ours: when this process is gone,
    // however it went, the child reads the end of the pipe and stops (see main.ts).
    const child = spawn(process.execPath, this.#settings.arguments, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#settings.environment, FLOTILLA_SUPERVISED: '1' },
      detached: true,
    });
    this.#child = child;
    this.#listen(child, log);
    let ended = false;
    const end = (reason: string, code: number | null) => {
      if (ended) return;
      ended = true;
      log.end(`${JSON.stringify({ time: Date.now(), msg: 'ended', reason })}\n`);
      this.#ended(reason, code, milliseconds(performance.now() - startedAt));
    };
    child.once('error', (error) => end(error.message, null));
    child.once('exit', (code, signal) =>
      end(signal === null ? `exit code ${code}` : `killed by ${signal}`, code),
    );
  }

  #listen(child: ChildProcess, log: WriteStream): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (!log.writableEnded) log.write(`${line}\n`);
        if (stream === child.stderr)
          this.#complaint = [...this.#complaint, line].slice(0, complaintLines);
        else if (saysServing(line) && child.pid !== undefined)
          this.#settings.onState({ kind: 'serving', pid: child.pid });
      });
    }
  }

  #ended(how: string, code: number | null, ranFor: Milliseconds): void {
    this.#child = null;
    const why = reasonIn(this.#complaint);
    const reason = why === '' ? how : `${how}: ${why}`;
    if (this.#stopping) this.#settings.onState({ kind: 'stopped', reason });
    else if (this.#restarting) {
      this.#restarting = false;
      this.#start();
    } else if (code === wrongConfiguration) {
      this.#settings.onState({ kind: 'refused', reason });
      if (this.#settings.restart) this.#timer = setTimeout(() => this.#start(), refusedRetry);
    } else if (!this.#settings.restart) this.#settings.onState({ kind: 'stopped', reason });
    else {
      const next = nextRestart(this.#history, ranFor);
      this.#history = next.history;
      this.#settings.onState({ kind: 'waiting', reason, wait: next.wait });
      this.#timer = setTimeout(() => this.#start(), next.wait);
    }
  }
}

/** Asks a process to end, and sees that it does. */
function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => child.kill('SIGKILL'), stopPatience);
    child.once('exit', () => {
      clearTimeout(patience);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** The line of what a program said at its end that tells most: the one that names an error. */
function reasonIn(complaint: readonly string[]): string {
  const lines = complaint.map((line) => line.trim()).filter((line) => line !== '');
  const naming = lines.find((line) => /^\w*error\b|:.*(error|cannot|wrong)/i.test(line));
  return (naming ?? lines[0] ?? '').slice(0, 300);
}

function openLog(path: string): WriteStream {
  if (existsSync(path) && statSync(path).size > logSizeMax) renameSync(path, `${path}.1`);
  return createWriteStream(path, { flags: 'a', mode: 0o600 });
}

/** A service logs JSON lines; the one that says `serving` means that it answers. */
function saysServing(line: string): boolean {
  if (!line.includes('"serving"')) return false;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'msg' in entry && entry.msg === 'serving';
  } catch {
    return false;
  }
}
