import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { compile, hasGcc } from './compile.ts';

/** The other xenstored: the one in C and the one in OCaml. */
export type PeerName = 'xenstored' | 'oxenstored';

/** Debian's releases of xen-utils that have both daemons, the newest first. */
const releases = ['4.20', '4.19', '4.18', '4.17', '4.16', '4.14'];

const directories = releases.map((release) => `/usr/lib/xen-${release}/bin`);

function programOf(name: PeerName): string | undefined {
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

/** What is missing on this machine to run the daemon; null where nothing is. */
export function missingFor(name: PeerName): string | null {
  if (programOf(name) === undefined) return 'xen-utils';
  if (!hasGcc) return 'gcc';
  return existsSync('/usr/include/xenctrl.h') ? null : 'libxen-dev';
}

/** The most that a domain may have; both daemons have their own numbers where one is left out. */
export interface PeerQuotas {
  readonly nodes?: number;
  readonly watches?: number;
  readonly transactions?: number;
  /** Bytes: of a whole node in C, of its value in OCaml. */
  readonly nodeSize?: number;
}

/** How long a daemon may take until it answers, in milliseconds. */
const patience = 60_000;

/** One of the daemons as a process, on a hypervisor that is pretended (see `hypervisor.c`). */
export class Peer {
  readonly name: PeerName;
  /** What the pretended hypervisor knows, the socket and the daemon's output. */
  readonly directory: string;
  readonly #child: ChildProcess;

  private constructor(name: PeerName, directory: string, child: ChildProcess) {
    this.name = name;
    this.directory = directory;
    this.#child = child;
  }

  /** Starts a daemon with its files in `directory`, which it makes; resolves when it answers. */
  static async start(name: PeerName, directory: string, quotas: PeerQuotas = {}): Promise<Peer> {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'port'), '5');
    writeFileSync(join(directory, 'ring.0'), Buffer.alloc(4096));
    const [program, ...words] = command(name, directory, quotas);
    const output = openSync(join(directory, 'output'), 'a');
    const child = spawn(program, words, {
      stdio: ['ignore', output, output],
      env: {
        ...process.env,
        PRETENDED_XEN: directory,
        XENSTORED_RUNDIR: directory,
        LD_PRELOAD: pretendedHypervisor(),
      },
    });
    closeSync(output);
    const peer = new Peer(name, directory, child);
    await peer.#answers();
    return peer;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    return pid;
  }

  get socket(): string {
    return join(this.directory, 'socket');
  }

  /** Whether it has not ended by itself. */
  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Calls the listener when it has ended, be it by itself or by `stop`. */
  onceEnded(listener: () => void): void {
    this.#child.once('exit', listener);
  }

  async stop(): Promise<void> {
    if (!this.runs) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #answers(): Promise<void> {
    const until = performance.now() + patience;
    while (performance.now() < until && this.runs) {
      // oxenstored listens before it has opened its event channel.
      const hasChannels = existsSync(join(this.directory, 'kicks'));
      if (hasChannels && (await canConnect(this.socket))) return;
      await delay(2);
    }
    await this.stop();
    const output = readFileSync(join(this.directory, 'output'), 'utf8');
    throw new Error(`${this.name} does not answer:\n${output}`);
  }
}

/** Resolves with whether somebody serves the socket. */
export function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

/** The library that stands in for the hypervisor, compiled when it is needed first. */
function pretendedHypervisor(): string {
  const source = join(import.meta.dirname, 'hypervisor.c');
  return compile('pretended-hypervisor.so', [source], ['-shared', '-fPIC']);
}

function command(name: PeerName, directory: string, quotas: PeerQuotas): [string, ...string[]] {
  const program = programOf(name);
  if (program === undefined) throw new Error(`${name} is not installed`);
  const { nodes, watches, transactions, nodeSize } = quotas;
  switch (name) {
    case 'xenstored': {
      const given: [string, number | undefined][] = [
        ['--entry-nb', nodes],
        ['--watch-nb', watches],
        ['--transaction', transactions],
        ['--entry-size', nodeSize],
      ];
      const words = given.flatMap(([word, value]) =>
        value === undefined ? [] : [word, `${value}`],
      );
      return [program, '--no-fork', ...words];
    }
    case 'oxenstored': {
      const settings: Record<string, string | number | undefined> = {
        'pid-file': join(directory, 'pid'),
        'xenstored-kva': join(directory, 'ring.0'),
        'xenstored-port': join(directory, 'port'),
        'xenstored-log-file': '/dev/null',
        'quota-activate': 'true',
        'quota-maxentity': nodes,
        'quota-maxwatch': watches,
        'quota-transaction': transactions,
        'quota-maxsize': nodeSize,
        'test-eagain': 'false',
        persistent: 'false',
      };
      const lines = Object.entries(settings).flatMap(([key, value]) =>
        value === undefined ? [] : [`${key} = ${value}\n`],
      );
      const path = join(directory, 'configuration');
      writeFileSync(path, lines.join(''));
      return [program, '--no-fork', '--no-access-log', '--config-file', path];
    }
  }
}
