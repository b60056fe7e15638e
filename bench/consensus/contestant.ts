import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { KV, Maintenance, type StatusResponse } from '../../proto/gen/etcdserverpb.ts';
import { freePorts } from '../../test/contract/etcd.ts';

/** Which program serves: this project's `flotilla consensus`, or Debian's etcd. */
export type Name = 'flotilla' | 'etcd';

/** Members of each pool. */
const memberCount = 3;

/** How long a pool may take to have a leader and to catch up, in milliseconds. */
const patience = 60_000;

const callTimeout = milliseconds(2000);

interface Address {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
  readonly dataDir: string;
}

/** One member as a process. */
export class Member {
  readonly endpoint: string;
  readonly #command: readonly [string, ...string[]];
  readonly #output: string;
  #running: ChildProcess | null = null;

  constructor(command: readonly [string, ...string[]], { client, dataDir }: Address) {
    this.#command = command;
    this.#output = `${dataDir}.output`;
    this.endpoint = client;
  }

  get pid(): number {
    const pid = this.#running?.pid;
    if (pid === undefined) throw new Error(`${this.endpoint} does not run`);
    return pid;
  }

  /** Starts it, again on what it has on its disk; does not wait until it serves. */
  async start(): Promise<void> {
    const [program, ...words] = this.#command;
    const output = await open(this.#output, 'a');
    this.#running = spawn(program, words, { stdio: ['ignore', output.fd, output.fd] });
    await output.close();
  }

  /** Ends it as `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.#running;
    this.#running = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Its own state as etcd's API tells it; null while it does not answer. */
  async status(): Promise<StatusResponse | null> {
    const connection = connect(this.endpoint, credentials.createInsecure());
    const status = await connection.client(Maintenance).status({}, { timeout: callTimeout });
    connection.close();
    return status.ok ? status.value : null;
  }

  /** The last lines that it printed, for an error's message. */
  async lastWords(): Promise<string> {
    return (await readFile(this.#output, 'utf8')).split('\n').slice(-5).join('\n');
  }
}

/** A pool of one program on loopback, with its data in a directory of its own. */
export class Contestant {
  readonly name: Name;
  readonly members: readonly Member[];

  private constructor(name: Name, members: readonly Member[]) {
    this.name = name;
    this.members = members;
  }

  /** Starts all members; resolves when they serve. `nodeWords` are for Node, given the directory. */
  static async start(
    name: Name,
    directory: string,
    nodeWords: (directory: string) => readonly string[] = () => [],
  ): Promise<Contestant> {
    await mkdir(directory, { recursive: true });
    const ports = await freePorts(2 * memberCount);
    const addresses = Array.from({ length: memberCount }, (_, index) => ({
      name: `m${index}`,
      client: `127.0.0.1:${ports[2 * index]}`,
      peer: `127.0.0.1:${ports[2 * index + 1]}`,
      dataDir: join(directory, `m${index}`),
    }));
    const members = addresses.map(
      (own) => new Member(command(name, own, addresses, nodeWords(directory)), own),
    );
    for (const member of members) await member.start();
    const contestant = new Contestant(name, members);
    await contestant.settled().catch(async (error: unknown) => {
      await contestant.close();
      throw error;
    });
    return contestant;
  }

  /** Resolves when every member knows the same leader and has all of its log; returns the leader. */
  async settled(): Promise<Member> {
    const until = performance.now() + patience;
    while (performance.now() < until) {
      const states = await Promise.all(this.members.map((member) => member.status()));
      const leader = states[0]?.leader ?? 0n;
      const indexes = states.map((state) => Number(state?.raftIndex ?? 0n));
      const agree = states.every((state) => state !== null && state.leader === leader);
      // Members tell of themselves now and then, so that the log is never quite still.
      const close = Math.max(...indexes) - Math.min(...indexes) < 10;
      const at = states.findIndex((state) => state?.header?.memberId === leader);
      const found = this.members[at];
      if (leader !== 0n && agree && close && found !== undefined) return found;
      await delay(50);
    }
    const words = await Promise.all(this.members.map((member) => member.lastWords()));
    throw new Error(`${this.name} has no leader, or a member is behind:\n${words.join('\n')}`);
  }

  /** The newest revision, which every put adds 1 to. */
  async revision(): Promise<number> {
    const connection = connect((await this.settled()).endpoint, credentials.createInsecure());
    const read = await connection
      .client(KV)
      .range({ key: Buffer.from('x') }, { timeout: callTimeout });
    connection.close();
    if (!read.ok) throw new Error(`${this.name}: ${read.error.message}`);
    return Number(read.value.header?.revision ?? 0n);
  }

  /** Kills what still runs. The directory stays. */
  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }
}

function command(
  name: Name,
  own: Address,
  all: readonly Address[],
  nodeWords: readonly string[],
): readonly [string, ...string[]] {
  const common = ['--name', own.name, '--data-dir', own.dataDir];
  const cluster = (scheme: string) =>
    all.map((one) => `${one.name}=${scheme}${one.peer}`).join(',');
  if (name === 'flotilla') {
    const program = join(import.meta.dirname, '..', '..', 'bin', 'flotilla.js');
    const listen = ['--listen-client', own.client, '--listen-peer', own.peer, '--insecure'];
    const words = [program, 'consensus', ...common, ...listen];
    return [process.execPath, ...nodeWords, ...words, '--initial-cluster', cluster('')];
  }
  const [client, peer] = [`http://${own.client}`, `http://${own.peer}`];
  return [
    ...(['etcd', ...common, '--log-level', 'error'] as const),
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', cluster('http://')],
  ];
}
