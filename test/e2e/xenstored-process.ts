import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const program = join(import.meta.dirname, '..', '..', 'main.ts');

/** How long it may take to serve on a busy machine, and how long a command may take. */
const patience = 90_000;

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of the process's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** `flotilla xenstored` as a process of its own, run as a user runs it. */
export class XenstoredProcess {
  readonly directory: string;
  readonly socket: string;
  readonly log: LogLine[] = [];
  #child: ChildProcess | null = null;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
    this.socket = join(this.directory, 'socket');
  }

  /** Starts it; resolves when it serves. */
  async start(...flags: readonly string[]): Promise<LogLine> {
    const words = [program, 'xenstored', '--socket', this.socket, '--no-rings', ...flags];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let complaint = '';
    child.stderr.on('data', (data: Buffer) => {
      complaint += data.toString();
    });
    return new Promise<LogLine>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no start:\n${complaint}`)), patience);
      child.once('exit', (code) => reject(new Error(`it ended with ${code}:\n${complaint}`)));
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as LogLine;
        this.log.push(line);
        if (line.msg !== 'serving') return;
        clearTimeout(timer);
        resolve(line);
      });
    });
  }

  /** The id of the process, which runs. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('xenstored does not run');
    return pid;
  }

  /** Ends it by a signal; resolves with its exit code, null where the signal killed it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return ended;
  }

  /** Runs `flotilla ...` with this daemon as the one of the machine. */
  flotilla(...words: readonly string[]): Promise<Ran> {
    return this.#run(process.execPath, [program, ...words]);
  }

  /** Runs a tool of Xen's with this daemon as the one of the machine. */
  tool(path: string, ...words: readonly string[]): Promise<Ran> {
    return this.#run(path, words);
  }

  async dispose(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  #run(path: string, words: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(
        path,
        words,
        { env: { ...process.env, XENSTORED_PATH: this.socket }, timeout: patience },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, stdout, stderr });
        },
      );
    });
  }
}

/** Where Debian has what is of one release of Xen. */
const xenDirectory = '/usr/lib/xen-4.17/bin';

/** The path of a tool of Xen's; undefined where this machine does not have it. */
export function xenTool(name: string): string | undefined {
  const own = join(xenDirectory, name);
  // /usr/bin has scripts that ask the running hypervisor which release they are for.
  if (existsSync(own)) return own;
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}
