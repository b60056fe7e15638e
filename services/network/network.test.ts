import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { PoolDatabase } from '../../pool/database.ts';
import { openPool } from '../../pool/pool.ts';
import type { VmRecord } from '../../pool/records/vm.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import type { NetworkEvent } from '../../proto/gen/flotilla.network.v1.ts';
import { answerOf, patience, refusalOf } from '../../test/fixtures/calls.ts';
import {
  firstNetwork,
  firstNetworkId,
  runningNetwork,
  withNetwork,
} from '../../test/fixtures/network-service.ts';
import { eventually, storeVm, vmPuts, vmRecord } from '../../test/fixtures/pool-records.ts';

const mac = '00:16:3e:00:00:01';

test('three hosts that start at once make one first network', async (t) => {
  const database = simulatedDatabase();
  const directories = await Promise.all(
    [1, 2, 3].map((host) => mkdtemp(join(tmpdir(), `network-${host}-`))),
  );
  const services = await Promise.all(
    directories.map((directory) => runningNetwork(database, directory, [firstNetwork])),
  );
  const [one] = services;
  if (one === undefined) return t.fail();
  const id = await firstNetworkId(one.pool);
  for (const service of services) await service.close();
  const all = await one.pool.networks.all();
  t.deepEqual(all.ok ? all.value.map(({ record }) => record.id) : [], [id]);
  database.close();
  for (const directory of directories) await rm(directory, { recursive: true });
});

test('a first network that was deleted does not come back', async (t) => {
  await withNetwork(async ({ pool, networks }, network, dataDir) => {
    answerOf(await networks.deleteNetwork({ network }, patience));
    const again = await runningNetwork(pool.database, join(dataDir, 'again'), [
      firstNetwork,
      { name: 'second', bridge: 'xenbr1' },
    ]);
    await eventually('the second network is made', async () => {
      const found = await pool.networks.find('second');
      return found.ok ? true : null;
    });
    t.is(
      refusalOf(await networks.getNetwork({ network: 'default' }, patience)).reason,
      'NOT_FOUND',
    );
    await again.close();
  });
});

test('a network is made, found, renamed and deleted, and its bridge is free again', async (t) => {
  await withNetwork(async ({ networks }) => {
    const request = { name: 'storage', bridge: 'xenbr9', mtu: 9000, requestId: randomUUID() };
    const made = answerOf(await networks.createNetwork(request, patience));
    t.like(made, { id: request.requestId, name: 'storage', bridge: 'xenbr9', mtu: 9000 });
    t.deepEqual(answerOf(await networks.createNetwork(request, patience)).id, made.id);
    t.deepEqual(answerOf(await networks.getNetwork({ network: 'storage' }, patience)), made);
    const renamed = await networks.updateNetwork({ network: 'storage', name: 'san' }, patience);
    t.like(answerOf(renamed), { id: made.id, name: 'san', bridge: 'xenbr9' });
    const { networks: all } = answerOf(await networks.listNetworks({}, patience));
    t.deepEqual(all.map(({ name }) => name).sort(), ['default', 'san']);
    answerOf(await networks.deleteNetwork({ network: 'san' }, patience));
    t.is(refusalOf(await networks.getNetwork({ network: 'san' }, patience)).reason, 'NOT_FOUND');
    answerOf(await networks.createNetwork({ ...request, requestId: '' }, patience));
  });
});

test('a network without a bridge gets one that its id tells, and the usual MTU', async (t) => {
  await withNetwork(async ({ networks }) => {
    const { id, bridge, mtu } = answerOf(await networks.createNetwork({ name: 'plain' }, patience));
    t.is(bridge, `fl-${id.replaceAll('-', '').slice(0, 12)}`);
    t.is(mtu, 1500);
  });
});

test('what cannot be is refused with the field and what to do, and nothing changes', async (t) => {
  await withNetwork(async ({ networks }) => {
    const before = answerOf(await networks.listNetworks({}, patience));
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
      const failure = refusalOf(await networks.createNetwork(request, patience));
      t.like(failure, { reason, field }, failure.message);
      t.not(failure.remedy, '', failure.message);
    }
    answerOf(await networks.createNetwork({ name: 'dry', validateOnly: true }, patience));
    answerOf(
      await networks.updateNetwork(
        { network: 'default', name: 'dry', validateOnly: true },
        patience,
      ),
    );
    answerOf(await networks.deleteNetwork({ network: 'default', validateOnly: true }, patience));
    t.deepEqual(answerOf(await networks.listNetworks({}, patience)), before);
  });
});

test('a network that a VM has an interface on is not deleted', async (t) => {
  await withNetwork(async ({ networks, pool }, network) => {
    const vm = await storeVm(pool, vmRecord({ nics: [{ network, mac }] }));
    const refused = refusalOf(await networks.deleteNetwork({ network }, patience));
    t.like(refused, {
      reason: 'WRONG_STATE',
      message: `the VM "${vm.name}" has an interface on the network "default"`,
    });
    await storeVm(pool, { ...vm, nics: [] });
    answerOf(await networks.deleteNetwork({ network }, patience));
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
      await database.transact({ comparisons: [], writes: vmPuts(openPool(database), taker) });
      return database.transact({ comparisons, writes });
    },
  };
  const service = await runningNetwork(racing, dataDir);
  const network = await firstNetworkId(service.pool);
  const before = answerOf(await service.networks.getNetwork({ network }, patience));
  vm = vmRecord({ nics: [{ network, mac }] });
  const refused = refusalOf(await service.networks.deleteNetwork({ network }, patience));
  t.is(refused.reason, 'WRONG_STATE');
  const after = answerOf(await service.networks.getNetwork({ network }, patience));
  t.deepEqual({ ...after, revision: 0 }, { ...before, revision: 0 });
  await service.close();
  database.close();
  await rm(dataDir, { recursive: true });
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
    answerOf(await networks.updateNetwork({ network, name: 'main' }, patience));
    answerOf(await networks.deleteNetwork({ network }, patience));
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
