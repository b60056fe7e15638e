import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { milliseconds } from '../../base/units.ts';
import { freePorts } from '../contract/etcd.ts';
import { PoolDatabaseClient } from '../contract/pool-database-client.ts';

const program = join(import.meta.dirname, '..', '..', 'main.ts');

/** How long a member may take to serve, and a cluster to have a leader, on a busy machine. */
const patience = 60_000;

/** One question to a member that may be dead or stopped. */
const patienceOfOneCall = milliseconds(2000);

/** One member as a process. */
export class ConsensusProcess {
  readonly endpoint: string;
  readonly #arguments: readonly string[];
  #running: ChildProcess | null = null;
  #output: string[] = [];

  constructor(endpoint: string, flags: readonly string[]) {
    this.endpoint = endpoint;
    this.#arguments = [program, 'consensus', ...flags];
  }

  /** What it printed since it was last started, for a failed test's message. */
  get output(): string {
    return this.#output.join('\n');
  }

  /** Starts it, again on what it has on its disk; resolves when it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, this.#arguments, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running = child;
    this.#output = [];
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`does not serve: ${this.output}`)), patience);
      const take = (line: string) => {
        this.#output.push(line);
        if (!line.includes('"serving"')) return;
        clearTimeout(timer);
        resolve();
      };
      createInterface({ input: child.stdout }).on('line', take);
      createInterface({ input: child.stderr }).on('line', take);
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${this.output}`)));
    });
  }

  /** Sends a signal; resolves with how it ended: an exit code, or the signal's name. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string | null> {
    const child = this.#running;
    if (child === null) return null;
    this.#running = null;
    if (child.exitCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
    return child.exitCode ?? child.signalCode;
  }

  /** Stops it where it is, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running?.kill(name);
  }
}

/** A pool database of processes on loopback, on a directory of its own. */
export class ConsensusCluster {
  readonly members: readonly ConsensusProcess[];
  readonly #directory: string;

  private constructor(directory: string, members: readonly ConsensusProcess[]) {
    this.#directory = directory;
    this.members = members;
  }

  /** Starts as many members; resolves when they serve writes. */
  static async start(count: number): Promise<ConsensusCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-consensus-'));
    const ports = await freePorts(2 * count);
    const peers = Array.from(
      { length: count },
      (_, index) => `m${index}=127.0.0.1:${ports[2 * index + 1]}`,
    );
    const members = Array.from({ length: count }, (_, index) => {
      const client = `127.0.0.1:${ports[2 * index]}`;
      return new ConsensusProcess(client, [
        ...['--name', `m${index}`, '--data-dir', join(directory, `m${index}`)],
        ...['--listen-client', client, '--listen-peer', `127.0.0.1:${ports[2 * index + 1]}`],
        ...['--initial-cluster', peers.join(',')],
      ]);
    });
    const cluster = new ConsensusCluster(directory, members);
    await Promise.all(members.map((member) => member.start()));
    await cluster.serving();
    return cluster;
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  /** Resolves when a write succeeds, and every running member has told how it is reached. */
  async serving(members = this.members): Promise<void> {
    for (const { endpoint, output } of members) {
      const client = new PoolDatabaseClient(endpoint);
      const until = performance.now() + patience;
      for (;;) {
        const listed = await client.cluster.memberList({}, { timeout: patienceOfOneCall });
        const told = listed.ok && listed.value.members.filter(({ name }) => name !== '').length;
        if (told === this.members.length) break;
        if (performance.now() > until) throw new Error(`${endpoint} is not ready: ${output}`);
        await delay(50);
      }
      client.close();
    }
  }

  /** The member that leads, once one says so of itself. */
  async leader(): Promise<ConsensusProcess> {
    const until = performance.now() + patience;
    while (performance.now() < until) {
      for (const member of this.members) {
        const client = new PoolDatabaseClient(member.endpoint);
        const status = await client.maintenance.status({}, { timeout: patienceOfOneCall });
        client.close();
        if (status.ok && status.value.header?.memberId === status.value.leader) return member;
      }
      await delay(50);
    }
    throw new Error('no member says that it leads');
  }

  /** Kills what still runs, and removes the directory. */
  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end('SIGKILL')));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
