import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { present } from '../../base/assert.ts';
import { milliseconds } from '../../base/units.ts';
import type { Member } from '../../proto/gen/etcdserverpb.ts';
import { PoolDatabaseClient, text, utf8 } from '../contract/pool-database-client.ts';
import { ConsensusProcess, loopbackAddresses, type MemberAddress } from './consensus-cluster.ts';

const program = join(import.meta.dirname, '..', '..', 'main.ts');

/** How long anything may take on a busy machine. */
const patience = 60_000;

/** One call, at a member that may be dead or without a leader. */
const oneCall = { timeout: milliseconds(2000) };

/** A member of a growing pool: its process, and where it is. */
export interface PoolMember extends MemberAddress {
  readonly name: string;
  readonly dataDir: string;
  readonly process: ConsensusProcess;
}

/** What a command printed, and how it ended. */
export interface CommandOutcome {
  readonly code: number;
  readonly output: string;
}

/** A pool database of processes whose members come and go. */
export class GrowingPool {
  readonly members = new Map<string, PoolMember>();
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async create(): Promise<GrowingPool> {
    return new GrowingPool(await mkdtemp(join(tmpdir(), 'flotilla-membership-')));
  }

  /** Starts members that begin a pool, and waits until it takes writes. */
  async begin(...names: readonly string[]): Promise<void> {
    const addresses = await loopbackAddresses(names.length);
    const cluster = names.map((name, index) => `${name}=${addresses[index]?.peer}`).join(',');
    const members = names.map((name, index) =>
      this.define(name, present(addresses[index], 'an address for each'), cluster),
    );
    await Promise.all(members.map((member) => member.process.start()));
    await this.call((client) => client.kv.put({ key: utf8('begun') }, oneCall));
  }

  /** A member that is not started yet, in place of any of this name. */
  define(
    name: string,
    address: MemberAddress,
    cluster: string,
    more: readonly string[] = [],
    dataDir = this.path(name),
  ): PoolMember {
    const { client, peer } = address;
    const process = new ConsensusProcess(client, [
      ...['--name', name, '--data-dir', dataDir, '--listen-client', client],
      ...['--listen-peer', peer, '--initial-cluster', cluster, '--insecure', ...more],
    ]);
    const member = { name, client, peer, dataDir, process };
    this.members.set(name, member);
    return member;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  member(name: string): PoolMember {
    return present(this.members.get(name), `a member named ${name}`);
  }

  /** The words of `--initial-cluster` for everyone in the pool, and one more. */
  clusterWith(name: string, peer: string): string {
    const others = [...this.members.values()].filter((member) => member.name !== name);
    return [...others, { name, peer }].map((each) => `${each.name}=${each.peer}`).join(',');
  }

  /** Adds a member and starts it; with `isLearner` it stays one. */
  async join(name: string, isLearner = false): Promise<PoolMember> {
    const [address] = await loopbackAddresses(1);
    const { client, peer } = present(address, 'one address');
    const cluster = this.clusterWith(name, peer);
    await this.call((caller) =>
      caller.cluster.memberAdd(
        { peerURLs: [`http://${peer}`], isLearner },
        { timeout: milliseconds(10_000) },
      ),
    );
    const joining = ['--initial-cluster-state', 'existing'];
    const member = this.define(name, { client, peer }, cluster, joining);
    await member.process.start();
    return member;
  }

  /** Asks the members one after the other until one serves; every failure is tried elsewhere. */
  async call<Response>(
    ask: (
      client: PoolDatabaseClient,
    ) => Promise<{ ok: true; value: Response } | { ok: false; error: Error }>,
  ): Promise<Response> {
    const until = performance.now() + patience;
    let last = '';
    for (;;) {
      for (const { process } of this.members.values()) {
        if (process.pid === null) continue;
        const client = new PoolDatabaseClient(process.endpoint);
        const answered = await ask(client);
        client.close();
        if (answered.ok) return answered.value;
        last = answered.error.message;
      }
      if (performance.now() > until) throw new Error(`nobody served: ${last}`);
      await delay(50);
    }
  }

  async list(): Promise<readonly Member[]> {
    return (await this.call((client) => client.cluster.memberList({}, oneCall))).members;
  }

  async idOf(name: string): Promise<bigint> {
    const found = (await this.list()).find((member) => member.name === name);
    return present(found, `${name} is in the list`).ID;
  }

  /** Waits until the list shows exactly these: `+` after the name of a learner. */
  async shows(...expected: readonly string[]): Promise<void> {
    const until = performance.now() + patience;
    for (;;) {
      const shown = (await this.list()).map(
        ({ name, isLearner }) => `${name}${isLearner ? '+' : ''}`,
      );
      if (shown.toSorted().join() === expected.toSorted().join()) return;
      if (performance.now() > until)
        throw new Error(`the members are ${shown.join()}, not ${expected.join()}`);
      await delay(100);
    }
  }

  async leader(): Promise<PoolMember> {
    const until = performance.now() + patience;
    while (performance.now() < until) {
      for (const member of this.members.values()) {
        if (member.process.pid === null) continue;
        const client = new PoolDatabaseClient(member.client);
        const status = await client.maintenance.status({}, oneCall);
        client.close();
        if (status.ok && status.value.header?.memberId === status.value.leader) return member;
      }
      await delay(50);
    }
    throw new Error('nobody leads');
  }

  /** What one member has, without asking the others. */
  async keysAt(name: string, prefix: string): Promise<ReadonlyMap<string, string>> {
    const client = new PoolDatabaseClient(this.member(name).client);
    const range = { key: utf8(prefix), rangeEnd: utf8(`${prefix}\xff`), serializable: true };
    const found = await client.kv.range(range, oneCall);
    client.close();
    if (!found.ok) throw found.error;
    return new Map(found.value.kvs.map(({ key, value }) => [text(key), text(value)]));
  }

  /** Runs `flotilla consensus ...` to its end. */
  command(...words: readonly string[]): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      execFile(process.execPath, [program, 'consensus', ...words], (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
        resolve({ code, output: stdout + stderr });
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.members.values()].map(({ process }) => process.end('SIGKILL')));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A client that writes one key after the other while `during` happens, wherever it is served. */
export async function whileWriting<Value>(
  pool: GrowingPool,
  prefix: string,
  during: () => Promise<Value>,
): Promise<{ readonly acknowledged: ReadonlyMap<string, string>; readonly value: Value }> {
  const acknowledged = new Map<string, string>();
  let over = false;
  const writing = (async () => {
    for (let count = 0; !over; count += 1) {
      const [key, value] = [`${prefix}${count}`, `${count}`];
      await pool.call((client) => client.kv.put({ key: utf8(key), value: utf8(value) }, oneCall));
      acknowledged.set(key, value);
      await delay(5);
    }
  })();
  try {
    return { value: await during(), acknowledged };
  } finally {
    over = true;
    await writing;
  }
}

/** A pool that ends with its test. */
export async function newPool(t: ExecutionContext): Promise<GrowingPool> {
  t.timeout(180_000);
  const pool = await GrowingPool.create();
  t.teardown(() => pool.close());
  return pool;
}

/** Checks that everything that was acknowledged is, or comes, to these members. */
export async function holds(
  t: ExecutionContext,
  pool: GrowingPool,
  prefix: string,
  acknowledged: ReadonlyMap<string, string>,
  ...names: readonly string[]
): Promise<void> {
  t.true(acknowledged.size > 0);
  for (const name of names) {
    for (let attempt = 0; ; attempt += 1) {
      const kept = await pool.keysAt(name, prefix);
      const missing = [...acknowledged].filter(([key, value]) => kept.get(key) !== value);
      if (missing.length === 0) break;
      if (attempt === 100) t.deepEqual(missing, [], `at ${name}`);
      await delay(100);
    }
  }
}
