import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import test from 'ava';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { systemClock } from '../../pool/clock.ts';
import type { PoolDatabase } from '../../pool/database.ts';
import type { Failure } from '../../pool/failure.ts';
import { openPool } from '../../pool/pool.ts';
import type { Epoch, NetworkId } from '../../pool/records/identifiers.ts';
import type { VmRecord } from '../../pool/records/vm.ts';
import { failureOf } from '../../pool/rpc/status.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { connect } from '../../proto/client.ts';
import {
  type NetworkEvent,
  NetworkService,
  type PlugRequest,
  VifService,
} from '../../proto/gen/flotilla.network.v1.ts';
import {
  eventually,
  storeVm,
  thisHost,
  vmPut,
  vmRecord,
} from '../../test/fixtures/pool-records.ts';
import { simulatedBridges } from './adapters/bridge/simulated.ts';
import type { NetworkConfiguration } from './configuration.ts';
import { startNetwork } from './main.ts';

const patience = { timeout: milliseconds(30_000) };
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const firstNetwork = { name: 'default', bridge: 'xenbr0' };
const mac = '00:16:3e:00:00:01';

/** A service over a database and a folder, with clients. */
async function running(
  database: PoolDatabase,
  dataDir: string,
  networks: NetworkConfiguration['networks'] = [firstNetwork],
) {
  const pool = openPool(database);
  const driver = await simulatedBridges(join(dataDir, 'bridges.json'));
  if (!driver.ok) throw new Error(driver.error.message);
  const configuration = {
    ...{ hostId: thisHost, hostName: 'host-1', listen: '127.0.0.1:0', store: ['127.0.0.1:1'] },
    ...{ dataDir, tls: undefined, driver: 'simulated' as const, networks },
  };
  const service = await startNetwork(configuration, {
    ...{ pool, driver: driver.value, credentials: null, clock: systemClock, log: quiet },
  });
  if (!service.ok) throw new Error(service.error.message);
  const connection = connect(service.value.address, credentials.createInsecure());
  return {
    pool,
    driver: driver.value,
    networks: connection.client(NetworkService),
    vifs: connection.client(VifService),
    close: async () => {
      connection.close();
      await service.value.close();
    },
  };
}

type Service = Awaited<ReturnType<typeof running>>;

/** The pool's first network, once the service has made it. */
function first({ pool }: Service): Promise<NetworkId> {
  return eventually('the first network is made', async () => {
    const found = await pool.networks.find('default');
    return found.ok ? found.value.record.id : null;
  });
}

async function withNetwork(
  work: (service: Service, network: NetworkId, dataDir: string) => Promise<void>,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'network-'));
  const database = simulatedDatabase();
  const service = await running(database, dataDir);
  try {
    await work(service, await first(service), dataDir);
  } finally {
    await service.close();
    database.close();
    await rm(dataDir, { recursive: true });
  }
}

function value<Value>(result: Result<Value, ServiceError>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function refusal(result: Result<unknown, ServiceError>): Failure {
  if (result.ok) throw new Error('it succeeded');
  return failureOf(result.error);
}

function plugOf(vm: VmRecord, network: string, domain: number): Partial<PlugRequest> {
  return { network, vm: vm.id, epoch: vm.epoch, index: 0, mac, interface: `vif${domain}.0` };
}

test('three hosts that start at once make one first network', async (t) => {
  const database = simulatedDatabase();
  const directories = await Promise.all(
    [1, 2, 3].map((host) => mkdtemp(join(tmpdir(), `network-${host}-`))),
  );
  const services = await Promise.all(
    directories.map((directory) => running(database, directory, [firstNetwork])),
  );
  const [one] = services;
  if (one === undefined) return t.fail();
  const id = await first(one);
  for (const service of services) await service.close();
  const all = await one.pool.networks.all();
  t.deepEqual(all.ok ? all.value.map(({ record }) => record.id) : [], [id]);
  database.close();
  for (const directory of directories) await rm(directory, { recursive: true });
});

test('a first network that was deleted does not come back', async (t) => {
  await withNetwork(async ({ pool, networks }, network, dataDir) => {
    value(await networks.deleteNetwork({ network }, patience));
    const again = await running(pool.database, join(dataDir, 'again'), [
      firstNetwork,
      { name: 'second', bridge: 'xenbr1' },
    ]);
    await eventually('the second network is made', async () => {
      const found = await pool.networks.find('second');
      return found.ok ? true : null;
    });
    t.is(refusal(await networks.getNetwork({ network: 'default' }, patience)).reason, 'NOT_FOUND');
    await again.close();
  });
});

test('a network is made, found, renamed and deleted, and its bridge is free again', async (t) => {
  await withNetwork(async ({ networks }) => {
    const request = { name: 'storage', bridge: 'xenbr9', mtu: 9000, requestId: randomUUID() };
    const made = value(await networks.createNetwork(request, patience));
    t.like(made, { id: request.requestId, name: 'storage', bridge: 'xenbr9', mtu: 9000 });
    t.deepEqual(value(await networks.createNetwork(request, patience)).id, made.id);
    t.deepEqual(value(await networks.getNetwork({ network: 'storage' }, patience)), made);
    const renamed = await networks.updateNetwork({ network: 'storage', name: 'san' }, patience);
    t.like(value(renamed), { id: made.id, name: 'san', bridge: 'xenbr9' });
    const { networks: all } = value(await networks.listNetworks({}, patience));
    t.deepEqual(all.map(({ name }) => name).sort(), ['default', 'san']);
    value(await networks.deleteNetwork({ network: 'san' }, patience));
    t.is(refusal(await networks.getNetwork({ network: 'san' }, patience)).reason, 'NOT_FOUND');
    value(await networks.createNetwork({ ...request, requestId: '' }, patience));
  });
});

test('a network without a bridge gets one that its id tells, and the usual MTU', async (t) => {
  await withNetwork(async ({ networks }) => {
    const { id, bridge, mtu } = value(await networks.createNetwork({ name: 'plain' }, patience));
    t.is(bridge, `fl-${id.replaceAll('-', '').slice(0, 12)}`);
    t.is(mtu, 1500);
  });
});

test('what cannot be is refused with the field and what to do, and nothing changes', async (t) => {
  await withNetwork(async ({ networks }) => {
    const before = value(await networks.listNetworks({}, patience));
    const refused = [
      [{ name: 'No Name' }, 'INVALID_FIELD', 'name'],
      [{ name: 'new', bridge: 'eth0' }, 'INVALID_FIELD', 'bridge'],
      [{ name: 'new', bridge: 'sixteen-letters-' }, 'INVALID_FIELD', 'bridge'],
      [{ name: 'new', bridge: 'a b' }, 'INVALID_FIELD', 'bridge'],
      [{ name: 'new', mtu: 67 }, 'INVALID_FIELD', 'mtu'],
      [{ name: 'new', mtu: 9217 }, 'INVALID_FIELD', 'mtu'],
      [{ name: 'new', requestId: 'mine' }, 'INVALID_FIELD', 'request_id'],
      [{ name: 'default' }, 'NAME_TAKEN', 'name'],
      [{ name: 'new', bridge: 'xenbr0' }, 'NAME_TAKEN', 'bridge'],
    ] as const;
    for (const [request, reason, field] of refused) {
      const failure = refusal(await networks.createNetwork(request, patience));
      t.like(failure, { reason, field }, failure.message);
      t.not(failure.remedy, '', failure.message);
    }
    value(await networks.createNetwork({ name: 'dry', validateOnly: true }, patience));
    value(
      await networks.updateNetwork(
        { network: 'default', name: 'dry', validateOnly: true },
        patience,
      ),
    );
    value(await networks.deleteNetwork({ network: 'default', validateOnly: true }, patience));
    t.deepEqual(value(await networks.listNetworks({}, patience)), before);
  });
});

test('a network that a VM has an interface on is not deleted', async (t) => {
  await withNetwork(async ({ networks, pool }, network) => {
    const vm = await storeVm(pool, vmRecord({ nics: [{ network, mac }] }));
    const refused = refusal(await networks.deleteNetwork({ network }, patience));
    t.like(refused, {
      reason: 'WRONG_STATE',
      message: `the VM "${vm.name}" has an interface on the network "default"`,
    });
    await storeVm(pool, { ...vm, nics: [] });
    value(await networks.deleteNetwork({ network }, patience));
  });
});

test('a VM that takes a network in the moment of its deletion has it put back', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'network-'));
  const database = simulatedDatabase();
  let vm: VmRecord | null = null;
  const racing: PoolDatabase = {
    ...database,
    transact: async ({ comparisons, writes }) => {
      const taker = vm;
      const deletes = writes.some(
        ({ kind, key }) => kind === 'delete' && key.includes('/networks/'),
      );
      if (!deletes || taker === null) return database.transact({ comparisons, writes });
      vm = null;
      await database.transact({ comparisons: [], writes: [vmPut(taker)] });
      return database.transact({ comparisons, writes });
    },
  };
  const service = await running(racing, dataDir);
  const network = await first(service);
  const before = value(await service.networks.getNetwork({ network }, patience));
  vm = vmRecord({ nics: [{ network, mac }] });
  const refused = refusal(await service.networks.deleteNetwork({ network }, patience));
  t.is(refused.reason, 'WRONG_STATE');
  const after = value(await service.networks.getNetwork({ network }, patience));
  t.deepEqual({ ...after, revision: 0 }, { ...before, revision: 0 });
  await service.close();
  database.close();
  await rm(dataDir, { recursive: true });
});

test('an interface is plugged into the network for the newest claim, and unplugged', async (t) => {
  await withNetwork(async ({ vifs, driver, pool }, network) => {
    const vm = await storeVm(pool, vmRecord({ epoch: 2 as Epoch }));
    t.is(value(await vifs.prepareNetwork({ network }, patience)).bridge, 'xenbr0');
    const plug = plugOf(vm, network, 3);
    const vif = value(await vifs.plug({ ...plug, mac: mac.toUpperCase() }, patience));
    t.deepEqual({ ...vif }, { ...vif, ...plug, bridge: 'xenbr0' });
    t.deepEqual(value(await vifs.plug(plug, patience)), vif);
    t.deepEqual(value(await vifs.listVifs({}, patience)).vifs, [vif]);
    t.deepEqual(await driver.joined(), {
      ok: true,
      value: [{ interface: 'vif3.0', bridge: 'xenbr0' }],
    });
    const stale = refusal(await vifs.plug({ ...plug, epoch: 1 }, patience));
    t.like(stale, { reason: 'STALE_EPOCH', field: 'epoch' });
    value(await vifs.unplug({ vm: vm.id, epoch: 1, index: 0 }, patience));
    t.is(value(await vifs.listVifs({}, patience)).vifs.length, 1);
    value(await vifs.unplug({ vm: vm.id, epoch: 2, index: 0 }, patience));
    value(await vifs.unplug({ vm: vm.id, epoch: 2, index: 0 }, patience));
    t.deepEqual(await driver.joined(), { ok: true, value: [] });
    t.is(refusal(await vifs.plug({ ...plug, epoch: 1 }, patience)).reason, 'STALE_EPOCH');
  });
});

test('a plug that does not make sense is refused with the field', async (t) => {
  await withNetwork(async ({ vifs, driver, pool }, network) => {
    const vm = await storeVm(pool, vmRecord());
    const plug = plugOf(vm, network, 3);
    const refused = [
      [{ ...plug, network: 'default' }, 'INVALID_FIELD', 'network'],
      [{ ...plug, network: randomUUID() }, 'NOT_FOUND', 'network'],
      [{ ...plug, vm: vm.name }, 'INVALID_FIELD', 'vm'],
      [{ ...plug, vm: randomUUID() }, 'NOT_FOUND', 'vm'],
      [{ ...plug, epoch: -1 }, 'INVALID_FIELD', 'epoch'],
      [{ ...plug, index: 8 }, 'INVALID_FIELD', 'index'],
      [{ ...plug, index: 1 }, 'INVALID_FIELD', 'interface'],
      [{ ...plug, mac: 'aa:bb' }, 'INVALID_FIELD', 'mac'],
      [{ ...plug, interface: 'eth0' }, 'INVALID_FIELD', 'interface'],
      [{ ...plug, interface: 'vif3.0; reboot' }, 'INVALID_FIELD', 'interface'],
    ] as const;
    for (const [request, reason, field] of refused)
      t.like(refusal(await vifs.plug(request, patience)), { reason, field });
    t.deepEqual(await driver.joined(), { ok: true, value: [] });
  });
});

test('a late unplug of a VM leaves the interface alone whose name came again', async (t) => {
  await withNetwork(async ({ vifs, pool }, network) => {
    const old = await storeVm(pool, vmRecord());
    const young = await storeVm(pool, vmRecord());
    value(await vifs.plug(plugOf(old, network, 3), patience));
    value(await vifs.plug(plugOf(young, network, 3), patience));
    value(await vifs.unplug({ vm: old.id, epoch: 1, index: 0 }, patience));
    const { vifs: left } = value(await vifs.listVifs({}, patience));
    t.deepEqual(
      left.map(({ vm }) => vm),
      [young.id],
    );
  });
});

test('a restart of the service loses no plug, and forgets those whose interface is gone', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'network-'));
  const database = simulatedDatabase();
  const service = await running(database, dataDir);
  const network = await first(service);
  const web = await storeVm(service.pool, vmRecord());
  const db = await storeVm(service.pool, vmRecord());
  value(await service.vifs.plug(plugOf(web, network, 3), patience));
  value(await service.vifs.plug(plugOf(db, network, 4), patience));
  await service.close();
  await service.driver.leave('vif4.0');
  const next = await running(database, dataDir);
  const { vifs } = value(await next.vifs.listVifs({}, patience));
  t.deepEqual(
    vifs.map(({ vm }) => vm),
    [web.id],
  );
  t.deepEqual(await readdir(join(dataDir, 'vifs')), [`${web.id}-0.json`]);
  value(await next.vifs.unplug({ vm: web.id, epoch: 1, index: 0 }, patience));
  value(await next.vifs.unplug({ vm: db.id, epoch: 1, index: 0 }, patience));
  t.deepEqual(await next.driver.joined(), { ok: true, value: [] });
  await next.close();
  database.close();
  await rm(dataDir, { recursive: true });
});

test('a damaged record of a plug stops the start, and says what to do', async (t) => {
  await withNetwork(async ({ pool }, _network, dataDir) => {
    const name = `${randomUUID()}-0.json`;
    await writeFile(join(dataDir, 'vifs', name), '{"vm":');
    const error = await t.throwsAsync(running(pool.database, dataDir));
    t.true(error?.message.includes(name));
  });
});

test('many plugs at once are all plugged', async (t) => {
  await withNetwork(async ({ vifs, pool }, network) => {
    const vm = await storeVm(pool, vmRecord());
    const vms = await Promise.all(
      Array.from({ length: 20 }, () => storeVm(pool, { ...vm, ...vmRecord() })),
    );
    const plugs = vms.flatMap((one, domain) =>
      Array.from({ length: 8 }, (_, index) => ({
        ...plugOf(one, network, domain),
        ...{ index, interface: `vif${domain}.${index}` },
      })),
    );
    await Promise.all(plugs.map(async (plug) => value(await vifs.plug(plug, patience))));
    t.is(value(await vifs.listVifs({}, patience)).vifs.length, 160);
  });
});

test('a watcher sees networks come and go', async (t) => {
  await withNetwork(async ({ networks }, network) => {
    const seen: string[] = [];
    const stream = networks.watchNetworks({});
    stream.on('error', () => {});
    stream.on('data', ({ type, network: one }: NetworkEvent) =>
      seen.push(`${type} ${one?.name ?? ''}`),
    );
    await eventually('the stream is in step', async () => (seen.length === 2 ? true : null));
    value(await networks.updateNetwork({ network, name: 'main' }, patience));
    value(await networks.deleteNetwork({ network }, patience));
    await eventually('the changes are seen', async () => (seen.length === 4 ? true : null));
    stream.cancel();
    t.deepEqual(seen, [
      'CHANGE_TYPE_CREATED default',
      'CHANGE_TYPE_SYNCED ',
      'CHANGE_TYPE_UPDATED main',
      'CHANGE_TYPE_DELETED main',
    ]);
  });
});
