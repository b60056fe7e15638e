import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { bytes } from '../../base/units.ts';
import { preparePool } from '../../cli/up/pool-directory.ts';
import { readSettings } from '../../consensus/settings.ts';
import { startMember } from '../../consensus/start/member.ts';
import { serviceRights } from '../../pool/access.ts';
import type { PoolDatabase, Revision } from '../../pool/database.ts';
import { etcdDatabase } from '../../pool/etcd/database.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { nameKey, operationsPrefix, prefixes, requestsPrefix, root } from '../../pool/keys.ts';
import { openPool } from '../../pool/pool.ts';
import { serviceNames } from '../../pool/records/host.ts';
import type { Epoch, NetworkId, VdiId } from '../../pool/records/identifiers.ts';
import { remove, writing } from '../../pool/transaction.ts';
import { storeVm, vmRecord } from '../fixtures/pool-records.ts';

const program = join(import.meta.dirname, '..', '..', 'main.ts');

/** A pool as `flotilla up` makes it, of which the first host's member of the database runs alone. */
interface PreparedPool {
  readonly hosts: readonly { readonly id: string; readonly name: string }[];
  /** Runs `flotilla ...` as the pool's operator, or with another directory of files. */
  run(...words: readonly string[]): Promise<string>;
  /** What a process has that took over a service of a host: its files, and so its identity. */
  database(identity: string): Promise<PoolDatabase>;
}

async function preparedPool(t: ExecutionContext): Promise<PreparedPool> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-services-'));
  const prepared = await preparePool({
    directory,
    hosts: 1,
    hypervisor: 'simulated',
    store: undefined,
    guests: undefined,
  });
  if (!prepared.ok) throw new Error(prepared.error);
  const { choice, plans } = prepared.value;
  const member = plans[0]?.processes.find(({ name }) => name === 'consensus');
  const settings = readSettings({ ...member?.configuration }, 'host.json', bytes(2 ** 28));
  if (!settings.ok) throw new Error(settings.error);
  const started = await startMember(settings.value, pino({ level: 'silent' }));
  if (!started.ok) throw new Error(started.error.detail);
  const open: PoolDatabase[] = [];
  const database = async (identity: string): Promise<PoolDatabase> => {
    const [host, service] = identity.split('/');
    const files =
      service === undefined
        ? join(directory, 'identity', identity)
        : join(directory, host ?? '', 'identity', service);
    const credentials = await readCredentials({
      ca: join(files, '..', 'ca.pem'),
      certificate: `${files}.pem`,
      key: `${files}-key.pem`,
    });
    if (!credentials.ok) throw new Error(credentials.error.message);
    const made = etcdDatabase({
      endpoints: [settings.value.listenClient],
      credentials: credentials.value.client,
    });
    open.push(made);
    return made;
  };
  t.teardown(async () => {
    for (const each of open) each.close();
    await started.value.close();
    await rm(directory, { recursive: true, force: true });
  });
  const run = (...words: readonly string[]) =>
    new Promise<string>((resolve) => {
      const env = { ...process.env, FLOTILLA_POOL: directory };
      execFile(process.execPath, [program, ...words], { env }, (_error, out, error) =>
        resolve(`${out}${error}`.trimEnd()),
      );
    });
  return { hosts: choice.hosts, database, run };
}

/** Whether a service may read or write a key. */
async function may(database: PoolDatabase, key: string, access: 'read' | 'write') {
  const done =
    access === 'read' ? await database.get(key) : await database.transact(writing(remove(key)));
  if (!done.ok && done.error.reason !== 'FORBIDDEN') throw new Error(done.error.message);
  return done.ok;
}

test('a network service that was taken over learns nothing of VMs but what it is to know', async (t) => {
  t.timeout(60_000);
  const prepared = await preparedPool(t);
  const pool = openPool(await prepared.database('host-1/vm-lifecycle'));
  const network = 'b2d6a3f0-0000-4000-8000-000000000001' as NetworkId;
  const vdi = 'b2d6a3f0-0000-4000-8000-000000000002' as VdiId;
  const vm = await storeVm(
    pool,
    vmRecord({
      name: 'secret-plans',
      commandLine: 'password=hunter2',
      epoch: 7 as Epoch,
      nics: [{ network, mac: '00:16:3e:00:00:01' }],
      disks: [{ vdi, vdev: 'xvda', readOnly: false, owned: true }],
    }),
  );

  const taken = await prepared.database('host-1/network');
  const everything = [root, '/', prefixes.vms, prefixes.vmStatuses, prefixes.operations];
  for (const prefix of [...everything, prefixes.vmDisks, prefixes.vdis, prefixes.hosts]) {
    t.like(await taken.list({ prefix }), { ok: false, error: { reason: 'FORBIDDEN' } }, prefix);
    const { signal } = new AbortController();
    const watch = taken.watch({ prefixes: [prefix], after: 0 as Revision, signal });
    for await (const batch of watch)
      t.like(batch, { kind: 'failed', failure: { reason: 'FORBIDDEN' } }, prefix);
  }
  t.false(await may(taken, pool.vms.key(vm.id), 'read'));
  t.false(await may(taken, pool.vms.key(vm.id), 'write'));
  t.false(await may(taken, nameKey('vm', vm.name), 'read'));
  t.false(await may(taken, pool.vmNics.key(vm.id), 'write'));
  const known = await openPool(taken).vmNics.get(vm.id);
  t.deepEqual(known.ok && known.value?.record, {
    name: 'secret-plans',
    epoch: 7 as Epoch,
    networks: [network],
  });

  const storage = await prepared.database('host-1/storage');
  t.false(await may(storage, pool.vms.key(vm.id), 'read'));
  t.true(await may(storage, pool.vmDisks.key(vm.id), 'read'));
  // Whoever writes an operation of a service has it done, and its steps tell what they do.
  const operations = operationsPrefix('vm-lifecycle');
  for (const access of ['read', 'write'] as const)
    t.false(await may(storage, `${operations}x`, access), access);
  t.like(await storage.list({ prefix: operations }), { ok: false, error: { reason: 'FORBIDDEN' } });
  t.true(await may(storage, `${operationsPrefix('storage')}x`, 'write'));
});

test('every service has just the rights of the table, on its own host where they are of a host', async (t) => {
  t.timeout(60_000);
  const prepared = await preparedPool(t);
  const [host] = prepared.hosts;
  const places: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(prefixes).map(([name, prefix]) => [name, `${prefix}x`])),
    ...Object.fromEntries(
      (['vm', 'host', 'sr', 'vdi', 'network'] as const).map((kind) => [kind, nameKey(kind, 'x')]),
    ),
    ...Object.fromEntries(
      serviceNames.flatMap((service) => [
        [`operations of ${service}`, `${operationsPrefix(service)}x`],
        [`requests to ${service}`, `${requestsPrefix(service)}x`],
      ]),
    ),
    outside: '/elsewhere/x',
    beyond: `${root}unknown/x`,
  };
  for (const service of serviceNames) {
    const database = await prepared.database(`host-1/${service}`);
    for (const key of Object.values(places))
      for (const access of ['read', 'write'] as const) {
        const isGiven = serviceRights[service].some(
          (right) =>
            'prefix' in right && key.startsWith(right.prefix) && right.access.includes(access),
        );
        t.is(await may(database, key, access), isGiven, `${service} ${access} ${key}`);
      }
    const own = [
      `${prefixes.hosts}${host?.id}`,
      `${prefixes.hostLeases}${host?.id}`,
      nameKey('host', 'host-1'),
    ];
    for (const key of own)
      t.is(await may(database, key, 'write'), service === 'vm-lifecycle', `${service} ${key}`);
  }
  const operator = await prepared.database('operator');
  for (const key of Object.values(places)) t.true(await may(operator, key, 'write'));
});

test('the operator sees who may do what, and admits one more host', async (t) => {
  t.timeout(120_000);
  const { run } = await preparedPool(t);
  const before = await run('pool', 'rights', 'list');
  t.regex(before, /host-1\/network +network +readwrite +\/flotilla\/networks\/\*/);
  t.regex(before, /operator +root +everything/);
  t.notRegex(before, /host-2/);
  const admit = ['pool', 'rights', 'admit', 'host-2', '--id', vmRecord().id];
  t.regex(await run(...admit, '--dry-run'), /would let the services of host-2 use/);
  t.is(await run('pool', 'rights', 'list'), before);
  t.is(await run(...admit), 'the services of host-2 may use the pool database');
  t.is(await run(...admit), 'the services of host-2 may use the pool database', 'once more');
  const after = await run('pool', 'rights', 'list');
  const ofHost = (text: string, host: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${host}/`))
      .map((line) => line.replace(/[\da-f-]{36}/g, 'ID').replaceAll(host, 'HOST'))
      .map((line) => line.replace(/ +/g, ' '));
  t.deepEqual(ofHost(after, 'host-2'), ofHost(after, 'host-1'));
  t.regex(await run('pool', 'rights', 'admit', 'host-3', '--id', 'three'), /is no UUID/);
});
