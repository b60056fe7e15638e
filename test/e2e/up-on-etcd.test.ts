import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { milliseconds } from '../../base/units.ts';
import type { TlsPaths } from '../../pool/configuration.ts';
import { issue, makeAuthority } from '../../pool/identity/authority.ts';
import { writeIdentity } from '../../pool/identity/files.ts';
import { freePorts, hasEtcd } from '../contract/etcd.ts';
import { eventually, PoolProcess } from './pool-process.ts';

/** The fields of the CLI's JSON that are looked at here. */
interface Status {
  readonly database: {
    readonly engine: string;
    readonly members: readonly { readonly name: string; readonly role: string }[];
  };
}
interface Vm {
  readonly name: string;
  readonly powerState: string;
}

/** Debian's etcd, one member, which asks for certificates of an authority that is not the pool's. */
class OtherEtcd {
  readonly tlsEndpoint: string;
  readonly plainEndpoint: string;
  readonly tls: TlsPaths;
  readonly #directory: string;
  readonly #peer: string;
  #running: ChildProcess | null = null;

  private constructor(directory: string, tls: TlsPaths, ports: readonly number[]) {
    this.#directory = directory;
    this.tls = tls;
    this.tlsEndpoint = `127.0.0.1:${ports[0]}`;
    this.plainEndpoint = `127.0.0.1:${ports[1]}`;
    this.#peer = `http://127.0.0.1:${ports[2]}`;
  }

  static async start(): Promise<OtherEtcd> {
    const directory = mkdtempSync(join(tmpdir(), 'flotilla-etcd-'));
    const now = milliseconds(Date.now());
    const authority = await makeAuthority('elsewhere', now);
    const identity = await issue(authority, { name: 'shared', hosts: ['127.0.0.1'] }, now);
    const tls = await writeIdentity(directory, 'shared', identity);
    const etcd = new OtherEtcd(directory, tls, await freePorts(3));
    etcd.restart();
    return etcd;
  }

  restart(): void {
    const { ca, certificate, key } = this.tls;
    const clients = `https://${this.tlsEndpoint},http://${this.plainEndpoint}`;
    const flags = [
      ...['--name', 'elsewhere', '--data-dir', join(this.#directory, 'data')],
      ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
      ...['--listen-peer-urls', this.#peer, '--initial-advertise-peer-urls', this.#peer],
      ...['--initial-cluster', `elsewhere=${this.#peer}`, '--log-level', 'error'],
      ...['--client-cert-auth', '--trusted-ca-file', ca, '--cert-file', certificate],
      ...['--key-file', key],
    ];
    this.#running = spawn('etcd', flags, { stdio: 'ignore' });
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (running === null || running.exitCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function isRunning(pool: PoolProcess, name: string): Promise<boolean> {
  const vms = await pool.json<readonly Vm[]>('vm', 'list');
  return vms.some((vm) => vm.name === name && vm.powerState === 'POWER_STATE_RUNNING');
}

async function aPoolOnEtcd(t: ExecutionContext): Promise<void> {
  t.timeout(600_000);
  const etcd = await OtherEtcd.start();
  t.teardown(() => etcd.dispose());
  const pool = new PoolProcess();
  t.teardown(() => pool.dispose());
  const { ca, certificate, key } = etcd.tls;
  const one = ['--hosts', '1', '--hypervisor', 'simulated'];
  await pool.start(
    ...[...one, '--store', `etcd://${etcd.tlsEndpoint}`, '--store-ca', ca],
    ...['--store-certificate', certificate, '--store-key', key],
  );
  t.deepEqual(pool.pids('host-1', 'consensus'), [], 'no member of a database of its own runs');
  const create = ['vm', 'create', '--name', 'web', '--memory', '64MiB', '--disk', '16MiB'];
  const started = await pool.run(...create, '--network', 'default', '--start');
  t.is(started.code, 0, started.stderr);

  const status = await pool.json<Status>('pool', 'status');
  t.is(status.database.engine, 'etcd');
  t.deepEqual(
    status.database.members.map(({ name, role }) => [name, role]),
    [['elsewhere', 'leader']],
    'the CLI asks that etcd itself, with what the pool has to show there',
  );
  const members = await pool.run('pool', 'members');
  t.regex(members.stdout, /^elsewhere +[0-9a-f]+ +leader +up/m, members.stderr);

  await etcd.kill();
  const down = await pool.run('pool', 'status');
  t.is(down.code, 3, down.stdout);
  const nobody = await pool.run('pool', 'members');
  t.is(nobody.code, 3);
  t.regex(nobody.stderr, /connection refused/);
  etcd.restart();
  await eventually(
    () => pool.run('vm', 'list'),
    (ran) => ran.code === 0,
    'the pool at work again',
  );
  t.true(await isRunning(pool, 'web'), 'what ran has run on');

  // The addresses of an etcd may change, and how it is spoken to; a pool's own database does not go away.
  t.is(await pool.stop(), 0);
  await pool.start('--store', `etcd://${etcd.plainEndpoint}`);
  const again = await pool.json<readonly Vm[]>('vm', 'list');
  t.deepEqual(
    again.map((vm) => vm.name),
    ['web'],
    'the pool is what that etcd holds',
  );
}

const title = 'a pool on a cluster of etcd that it does not run, with certificates of its own';
if (hasEtcd) test.serial(title, aPoolOnEtcd);
else test.skip(`${title} (Debian: etcd-server)`, () => {});

test('flotilla up refuses an etcd that it cannot speak to as told', async (t) => {
  t.timeout(600_000);
  const pool = new PoolProcess();
  t.teardown(() => pool.dispose());
  const up = (...flags: readonly string[]) => pool.run('up', '--dir', pool.directory, ...flags);
  const rows: readonly (readonly [flags: readonly string[], said: RegExp])[] = [
    [['--store', 'etcd://10.0.0.1:2379'], /plain text is for this machine only; give --store-ca/],
    [['--store', 'elsewhere'], /Write etcd:\/\/HOST:PORT/],
    [['--store-ca', 'ca.pem'], /need --store/],
    [['--store', '127.0.0.1:1', '--store-ca', 'a', '--store-key', 'k'], /together/],
  ];
  for (const [flags, said] of rows) {
    const ran = await up(...flags);
    t.is(ran.code, 2, ran.stdout);
    t.regex(ran.stderr, said);
  }
});
