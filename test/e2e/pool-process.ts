import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The program under test, as a user runs it. */
const program = join(import.meta.dirname, '..', '..', 'main.ts');

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest a command may take; a hang is a failure. A machine under load is no reason to fail. */
const commandPatience = 90_000;

/** How long all services together may take to serve on a busy machine. */
const startPatience = 120_000;

/** A pool of real processes in a directory of its own, driven as an operator drives it. */
export class PoolProcess {
  readonly directory: string;
  #up: ChildProcess | null = null;
  #output = '';

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'flotilla-'));
  }

  /** `flotilla up`; resolves when every service serves. */
  async start(...flags: readonly string[]): Promise<void> {
    const up = spawn(process.execPath, [program, 'up', '--dir', this.directory, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#up = up;
    this.#output = '';
    await new Promise<void>((resolve, reject) => {
      const patience = setTimeout(
        () => reject(new Error(`the pool does not serve:\n${this.#output}\n${this.logs()}`)),
        startPatience,
      );
      const take = (data: Buffer) => {
        this.#output += data.toString();
        if (!this.#output.includes('all services serve')) return;
        clearTimeout(patience);
        resolve();
      };
      up.stdout.on('data', take);
      up.stderr.on('data', take);
      up.once('exit', (code) => {
        clearTimeout(patience);
        reject(new Error(`flotilla up ended with ${code}:\n${this.#output}`));
      });
    });
  }

  /** Ctrl-C; resolves with the exit code. */
  async stop(): Promise<number | null> {
    const up = this.#up;
    if (up === null || up.exitCode !== null) return up?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => up.once('exit', resolve));
    up.kill('SIGINT');
    return ended;
  }

  /** Stops the pool and removes its directory. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Runs `flotilla ...` against this pool. */
  run(...command: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [program, ...command],
        {
          env: { ...process.env, FLOTILLA_POOL: this.directory },
          timeout: commandPatience,
          maxBuffer: 16 * 2 ** 20,
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, stdout, stderr });
        },
      );
    });
  }

  /** Runs `flotilla ... --json` and reads what it printed; fails where it failed. */
  async json<Value>(...command: readonly string[]): Promise<Value> {
    const ran = await this.run(...command, '--json');
    if (ran.code !== 0)
      throw new Error(
        `flotilla ${command.join(' ')}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}`,
      );
    return JSON.parse(ran.stdout) as Value;
  }

  /** The processes of one host, or of one of its services, by what their command lines name. */
  pids(host: string, process?: string): readonly number[] {
    const file = join(this.directory, host, process === undefined ? '' : `${process}.json`);
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => commandLine(pid).some((part) => part.startsWith(file)))
      .map(Number);
  }

  /** Kills processes as a crash does. */
  kill(pids: readonly number[]): void {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  }

  /** The last lines of every log, for a failed test's message. */
  logs(): string {
    return readdirSync(this.directory)
      .filter((name) => name.startsWith('host-'))
      .flatMap((host) => {
        const folder = join(this.directory, host, 'logs');
        return readdirSync(folder).map((name) => {
          const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
          return `${host}/${name}: ${lines.slice(-5).join('\n  ')}`;
        });
      })
      .join('\n');
  }
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Asks again until the answer is what is waited for; the last answer is in the error. */
export async function eventually<Value>(
  ask: () => Promise<Value>,
  isIt: (value: Value) => boolean,
  what: string,
): Promise<Value> {
  const until = performance.now() + commandPatience;
  for (;;) {
    const value = await ask();
    if (isIt(value)) return value;
    if (performance.now() > until)
      throw new Error(`${what} did not come about; the last answer: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
