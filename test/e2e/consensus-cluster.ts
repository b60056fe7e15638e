import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { present } from '../../base/assert.ts';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { freePorts } from '../contract/etcd.ts';
import { PoolDatabaseClient } from '../contract/pool-database-client.ts';

const program = join(import.meta.dirname, '..', '..', 'main.ts');

/** How long a member may take to serve, and a cluster to have a leader, on a busy machine. */
const patience = 60_000;

/** One question to a member that may be dead or stopped. */
const patienceOfOneCall = milliseconds(2000);

/** One change of the membership, which may wait for another. */
const onChange = { timeout: milliseconds(5000) };

/** One member as a process. */
export class ConsensusProcess {
  readonly endpoint: string;
  #command: readonly string[];
  #running: ChildProcess | null = null;
  #output: string[] = [];

  /** `within`: the words before the program, such as `ip netns exec NAME`. */
  constructor(endpoint: string, flags: readonly string[], within: readonly string[] = []) {
    this.endpoint = endpoint;
    this.#command = [...within, process.execPath, program, 'consensus', ...flags];
  }

  /** Its process, while it runs. */
  get pid(): number | null {
    return this.#running?.pid ?? null;
  }

  /** Whether it was started, and has not ended by itself or by a signal. */
  get isRunning(): boolean {
    return (
      this.#running !== null && this.#running.exitCode === null && this.#running.signalCode === null
    );
  }

  /** What it printed since it was last started, for a failed test's message. */
  get output(): string {
    return this.#output.join('\n');
  }

  /** Starts it, again on what it has on its disk; resolves when it listens. */
  async start(): Promise<void> {
    const [word = '', ...words] = this.#command;
    const child = spawn(word, words, { stdio: ['ignore', 'pipe', 'pipe'] });
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
      child.once('close', (code) => {
        clearTimeout(timer);
        reject(new Error(`ended with ${code}: ${this.output}`));
      });
    });
  }

  /** Resolves when it has printed such a line since it was last started. */
  async prints(line: RegExp): Promise<void> {
    const until = performance.now() + patience;
    while (!this.#output.some((each) => line.test(each))) {
      if (performance.now() > until) throw new Error(`never said ${line}: ${this.output}`);
      await delay(50);
    }
  }

  /** Resolves when it has ended by itself: with its exit code, or the signal's name. */
  async ended(): Promise<number | string | null> {
    const child = this.#running;
    if (child === null) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    this.#running = null;
    return child.exitCode ?? child.signalCode;
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

  /** Is told more from its next start on. */
  tell(...flags: readonly string[]): void {
    this.#command = [...this.#command, ...flags];
  }

  /** What one of its flags says. */
  told(flag: string): string {
    return present(this.#command[this.#command.indexOf(flag) + 1], `${flag} was given`);
  }

  /** Stops it where it is, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running?.kill(name);
  }
}

/** Where a member listens. */
export interface MemberAddress {
  readonly client: string;
  readonly peer: string;
}

/** How a cluster differs from members that reach each other on loopback, in plain text. */
export interface ClusterLayout {
  /** Where each member listens. */
  readonly addresses?: readonly MemberAddress[];
  /** The address at which one member reaches another, if something stands in between. */
  readonly route?: (from: number, to: number) => string;
  /** Words before a member's program: see `ConsensusProcess`. */
  readonly within?: (index: number) => readonly string[];
  /** A member's data directory, if it is not one beside the others'. */
  readonly dataDir?: (index: number) => string | null;
  /** More flags for every member. */
  readonly flags?: readonly string[];
  /** What clients show; `flags` then tell the members of TLS. */
  readonly credentials?: ChannelCredentials;
}

/** Addresses on loopback for as many members, on ports that are free now. */
export async function loopbackAddresses(count: number): Promise<MemberAddress[]> {
  const ports = await freePorts(2 * count);
  return Array.from({ length: count }, (_, index) => ({
    client: `127.0.0.1:${ports[2 * index]}`,
    peer: `127.0.0.1:${ports[2 * index + 1]}`,
  }));
}

/** A pool database of processes, on a directory of its own. */
export class ConsensusCluster {
  readonly members: readonly ConsensusProcess[];
  /** What clients of this cluster show. */
  readonly credentials: ChannelCredentials;
  readonly #directory: string;

  private constructor(
    directory: string,
    members: readonly ConsensusProcess[],
    clients: ChannelCredentials,
  ) {
    this.#directory = directory;
    this.members = members;
    this.credentials = clients;
  }

  /** Starts as many members; resolves when they serve writes. */
  static async start(count: number, layout: ClusterLayout = {}): Promise<ConsensusCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-consensus-'));
    const addresses = layout.addresses ?? (await loopbackAddresses(count));
    const members = addresses.map(({ client, peer }, index) => {
      const peers = addresses.map((other, to) => {
        const address = to === index ? peer : (layout.route?.(index, to) ?? other.peer);
        return `m${to}=${address}`;
      });
      const dataDir = layout.dataDir?.(index) ?? join(directory, `m${index}`);
      const flags = [
        ...['--name', `m${index}`, '--data-dir', dataDir],
        ...['--listen-client', client, '--listen-peer', peer],
        ...['--initial-cluster', peers.join(','), ...(layout.flags ?? [])],
        ...(layout.credentials === undefined ? ['--insecure'] : []),
      ];
      return new ConsensusProcess(client, flags, layout.within?.(index));
    });
    const clients = layout.credentials ?? credentials.createInsecure();
    const cluster = new ConsensusCluster(directory, members, clients);
    try {
      await Promise.all(members.map((member) => member.start()));
      await cluster.serving();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  /** Resolves when a write succeeds, and every running member has told how it is reached. */
  async serving(members = this.members): Promise<void> {
    for (const { endpoint, output } of members) {
      const client = new PoolDatabaseClient(endpoint, this.credentials);
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

  /**
   * Kills a member for good, takes it out of the pool, and has a new one of its name and at its
   * addresses, with nothing on its disk, join in its place.
   */
  async replace(member: ConsensusProcess): Promise<void> {
    const [name, peer] = [member.told('--name'), member.told('--listen-peer')];
    await member.end('SIGKILL');
    const gone = await this.#ask((client) => client.cluster.memberList({}, onChange));
    const old = gone.members.find((each) => each.name === name);
    await this.#ask((client) => client.cluster.memberRemove({ ID: old?.ID ?? 0n }, onChange));
    await rm(member.told('--data-dir'), { recursive: true, force: true });
    const peerURLs = [`http://${peer}`];
    await this.#ask((client) => client.cluster.memberAdd({ peerURLs }, onChange));
    member.tell('--initial-cluster-state', 'existing');
    await member.start();
  }

  /** Asks one running member after another until one serves. */
  async #ask<Response>(
    ask: (client: PoolDatabaseClient) => Promise<Result<Response, Error>>,
  ): Promise<Response> {
    const until = performance.now() + patience;
    let last = 'nobody runs';
    while (performance.now() < until) {
      for (const { endpoint } of this.members.filter(({ isRunning }) => isRunning)) {
        const client = new PoolDatabaseClient(endpoint, this.credentials);
        const answered = await ask(client);
        client.close();
        if (answered.ok) return answered.value;
        last = answered.error.message;
      }
      await delay(50);
    }
    throw new Error(`nobody serves: ${last}`);
  }

  /** The member that leads, once one says so of itself. */
  async leader(): Promise<ConsensusProcess> {
    const until = performance.now() + patience;
    while (performance.now() < until) {
      for (const member of this.members) {
        const client = new PoolDatabaseClient(member.endpoint, this.credentials);
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
