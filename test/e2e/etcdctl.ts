import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Whether this machine has etcd's client (Debian: `apt-get install etcd-client`). */
export const hasEtcdctl = spawnSync('etcdctl', ['version']).status === 0;

/** Longest a command may take, in milliseconds; a hang is a failure. */
const commandPatience = 60_000;

/** How a command ended, and what it said. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** An etcdctl that goes on, and its lines. */
export interface Following {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

/** etcd's own command line, on some endpoints. */
export class Etcdctl {
  readonly #first: readonly string[];

  /** `flags`: those of every command, such as TLS files. */
  constructor(endpoints: readonly string[], flags: readonly string[] = []) {
    this.#first = ['--endpoints', endpoints.join(), ...flags];
  }

  /** Runs a command, with what it reads on its standard input. */
  run(words: readonly string[], input = '', timeout = commandPatience): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile(
        'etcdctl',
        [...this.#first, ...words],
        { timeout },
        (error, out, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, out: out.trimEnd(), error: stderr });
        },
      );
      // A command that reads nothing may have ended before.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }

  /** What it prints, where it succeeds. */
  async prints(...words: readonly string[]): Promise<string> {
    const ran = await this.run(words);
    if (ran.code !== 0) throw new Error(`etcdctl ${words.join(' ')}: ${ran.error}${ran.out}`);
    return ran.out;
  }

  /** Starts a command that goes on. */
  follow(...words: readonly string[]): Following {
    const child = spawn('etcdctl', [...this.#first, ...words], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }
}

/** The next lines, fewer where there are no more. */
export async function take({ lines }: Following, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const next = await lines.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
