import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { bytes } from '../../base/units.ts';
import type { MemberSettings } from '../../consensus/settings.ts';
import { type Member, startMember } from '../../consensus/start/member.ts';
import { freePorts } from '../contract/etcd.ts';
import { PoolDatabaseClient, patience, refusal } from '../contract/pool-database-client.ts';
import { TestAuthority } from '../fixtures/test-authority.ts';

/** A pool database of several members in this process, whose clients show certificates. */
export class AccessPool {
  readonly authority: TestAuthority;
  readonly directory: string;
  readonly #settings: readonly MemberSettings[];
  readonly #log: Logger;
  readonly #clients: PoolDatabaseClient[] = [];
  #members: Member[] = [];

  private constructor(
    authority: TestAuthority,
    directory: string,
    settings: readonly MemberSettings[],
    log: Logger,
  ) {
    this.authority = authority;
    this.directory = directory;
    this.#settings = settings;
    this.#log = log;
  }

  /** Starts as many members; `rights` is what the pool begins with. */
  static async start(
    count: number,
    rights: MemberSettings['rights'],
    log: Logger = pino({ level: 'silent' }),
  ): Promise<AccessPool> {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-access-'));
    const authority = await TestAuthority.make();
    const ports = await freePorts(2 * count);
    const at = (port: number | undefined) => `127.0.0.1:${port}`;
    const cluster = new Map(
      Array.from({ length: count }, (_, index) => [`m${index}`, at(ports[2 * index + 1])]),
    );
    const settings: MemberSettings[] = [];
    for (const [name, listenPeer] of cluster)
      settings.push({
        ...{ name, dataDir: join(directory, name), listenPeer, advertiseClient: null },
        listenClient: at(ports[2 * settings.length]),
        ...{ initialCluster: cluster, initialClusterState: 'new', clusterToken: 'test' },
        tls: await authority.files(directory, `${name}/consensus`),
        ...{ quota: bytes(2 ** 28), retainRevisions: 0, rights: rights ?? null },
      });
    const pool = new AccessPool(authority, directory, settings, log);
    await pool.startMembers();
    return pool;
  }

  /** Starts all members on what they have on their disks. */
  async startMembers(): Promise<void> {
    const started = await Promise.all(
      this.#settings.map((settings) => startMember(settings, this.#log)),
    );
    this.#members = started.map((member) => {
      if (!member.ok) throw new Error(member.error.detail);
      return member.value;
    });
    await Promise.all(this.#members.map(({ ready }) => ready));
    await Promise.all(this.#settings.map((_, index) => this.#founded(index)));
  }

  /** Resolves when the rights that the pool begins with are set up, as this member knows. */
  async #founded(index: number): Promise<void> {
    const client = await this.client('anybody', index);
    const founding = /rights of this new pool are not set up/;
    while (founding.test(await refusal(client.cluster.memberList({}, patience)))) await delay(20);
  }

  async stopMembers(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
    this.#members = [];
  }

  get size(): number {
    return this.#settings.length;
  }

  settings(index: number): MemberSettings {
    const settings = this.#settings[index];
    if (settings === undefined) throw new Error(`there is no member ${index}`);
    return settings;
  }

  /** A client of one member, that shows a certificate of this common name. */
  async client(name: string, member = 0): Promise<PoolDatabaseClient> {
    const client = new PoolDatabaseClient(
      this.settings(member).listenClient,
      await this.authority.channel(name),
    );
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.stopMembers();
    await rm(this.directory, { recursive: true, force: true });
  }
}
