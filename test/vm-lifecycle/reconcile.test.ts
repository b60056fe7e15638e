import test, { type ExecutionContext } from 'ava';
import { bytes } from '../../base/units.ts';
import type { DomainConfig, DomainUuid } from '../../hypervisor/port.ts';
import type { Epoch, HostId, VdiId, VmId } from '../../pool/records/identifiers.ts';
import { ask, carryOut, create, nth } from './actions.ts';
import { halted, running, takeStock } from './inventory.ts';
import { endOf, granted, makeWorld, until, type WorldHost } from './world.ts';

/** What a host finds when it starts, and what it does about it. */

async function worldOf(t: ExecutionContext, hosts = 1) {
  const world = await makeWorld(hosts);
  t.teardown(() => world.close());
  return { world, host: nth(world.hosts, 0) };
}

function foreignDomain(uuid: string): DomainConfig {
  return {
    ...{
      uuid: uuid as DomainUuid,
      name: `foreign-${uuid}`,
      type: 'pvh',
      memory: bytes(2 ** 26),
      vcpus: 1,
    },
    ...{ kernel: '', ramdisk: null, commandLine: '', disks: [], nics: [] },
  };
}

async function build({ hypervisor }: WorldHost, uuid: string): Promise<void> {
  const built = await hypervisor.createDomain(foreignDomain(uuid));
  if (!built.ok) throw new Error(built.error.detail);
}

async function domainsOf({ hypervisor }: WorldHost): Promise<string[]> {
  const listed = await hypervisor.listDomains();
  return listed.ok ? listed.value.map((domain) => domain.uuid) : [];
}

test('a service that starts again adopts what runs, and its consoles', async (t) => {
  const { world, host } = await worldOf(t);
  const first = host.start();
  const vm = await create(world, first, 'web');
  await carryOut(world, first, 'startVm', 'web');
  await first.lifecycle.close();
  const second = host.start();
  await second.lifecycle.settled;
  t.deepEqual(await takeStock(world, vm), running);
  t.not(second.consoles.find(vm), null);
  await carryOut(world, second, 'shutdownVm', 'web');
  t.deepEqual(await takeStock(world, vm), halted);
});

test('after the host restarted its VMs are halted, and their detail says why', async (t) => {
  const { world, host } = await worldOf(t);
  const first = host.start();
  const vm = await create(world, first, 'web');
  await carryOut(world, first, 'startVm', 'web');
  await first.lifecycle.close();
  const domains = await host.hypervisor.listDomains();
  for (const domain of domains.ok ? domains.value : [])
    await host.hypervisor.destroyDomain(domain.id);
  host.start();
  await until(async () => (await takeStock(world, vm)).reported === 'halted');
  await until(async () => (await takeStock(world, vm)).operation === null);
  t.deepEqual(await takeStock(world, vm), halted);
  const status = granted(await world.pool.vmStatuses.get(vm));
  t.regex(status?.record.detail ?? '', /its domain was gone/);
});

test('a guest that powered off while no service ran is cleaned up when one starts', async (t) => {
  const { world, host } = await worldOf(t);
  const first = host.start();
  const vm = await create(world, first, 'web');
  const started = await carryOut(world, first, 'startVm', 'web');
  await first.lifecycle.close();
  t.is(started.state, 'succeeded');
  const domains = await host.hypervisor.listDomains();
  for (const domain of domains.ok ? domains.value : [])
    await host.hypervisor.requestShutdown(domain.id, 'poweroff');
  host.start();
  await until(async () => {
    const stock = await takeStock(world, vm);
    return stock.reported === 'halted' && stock.operation === null;
  });
  t.deepEqual(await takeStock(world, vm), halted);
});

test('a domain that another tool built is never touched', async (t) => {
  const { host } = await worldOf(t);
  const uuid = 'cccccccc-0000-4000-8000-000000000000';
  await build(host, uuid);
  await host.start().lifecycle.settled;
  t.deepEqual(await domainsOf(host), [uuid]);
});

test('a domain of a VM that is halted, or claimed by another host, is destroyed', async (t) => {
  const { world, host } = await worldOf(t, 2);
  const other = nth(world.hosts, 1).start();
  const request = { disks: [] };
  const resting = await create(world, other, 'resting', request, 'host-2');
  const elsewhere = await create(world, other, 'elsewhere', request, 'host-2');
  await build(host, resting);
  const asked = await ask(other, 'startVm', 'elsewhere', 'host-2');
  await endOf(world.pool, granted(asked).id);
  await build(host, elsewhere);
  await host.start().lifecycle.settled;
  t.deepEqual(await domainsOf(host), []);
  t.deepEqual(await domainsOf(nth(world.hosts, 1)), [elsewhere]);
});

test('disks and interfaces that a crash left to nobody are released', async (t) => {
  const { world, host } = await worldOf(t);
  const gone = 'dddddddd-0000-4000-8000-000000000000' as VmId;
  const epoch = 1 as Epoch;
  const vdi = 'eeeeeeee-0000-4000-8000-000000000000' as VdiId;
  await host.storage.attach({ vdi, vm: gone, epoch, readOnly: false });
  const network = granted(await world.pool.networks.find('default')).record.id;
  const mac = '00:16:3e:00:00:01';
  await host.network.plug({ vm: gone, epoch, index: 0, network, mac, interfaceName: 'vif1.0' });
  await host.start().lifecycle.settled;
  t.is(host.storage.attached.size, 0);
  t.is(host.network.vifs.size, 0);
});

test('what a VM that runs uses is not released', async (t) => {
  const { world, host } = await worldOf(t);
  const first = host.start();
  const vm = await create(world, first, 'web');
  await carryOut(world, first, 'startVm', 'web');
  await first.lifecycle.close();
  await host.start().lifecycle.settled;
  await host.start().lifecycle.settled;
  t.deepEqual(await takeStock(world, vm), running);
});

test('a shutdown that is cancelled leaves the VM wanted and running', async (t) => {
  const { world, host } = await worldOf(t);
  const service = host.start();
  const vm = await create(world, service, 'web');
  await carryOut(world, service, 'startVm', 'web');
  await host.hypervisor.inject({
    effect: { kind: 'guest-ignores-shutdown' },
    uuid: vm as string as DomainUuid,
    times: 1,
  });
  const { id } = granted(await ask(service, 'shutdownVm', 'web'));
  await until(async () => {
    const stored = granted(await world.pool.operationsOf('vm-lifecycle').get(id ?? ''));
    if (stored?.record.cursor !== 1) return false;
    const cancelled = { ...stored.record, cancelRequested: true };
    const change = world.pool.operationsOf('vm-lifecycle').replacing(stored, cancelled);
    const outcome = await world.pool.database.transact(change);
    return outcome.ok && outcome.value.committed;
  });
  t.is((await endOf(world.pool, id)).state, 'cancelled');
  t.deepEqual(await takeStock(world, vm), running);
});

test('a VM whose name a domain of the host has already runs under a name of its own', async (t) => {
  const { world, host } = await worldOf(t);
  const service = host.start();
  const vm = await create(world, service, 'web');
  const foreign = 'cccccccc-0000-4000-8000-000000000000';
  await host.hypervisor.createDomain({ ...foreignDomain(foreign), name: 'web' });
  await carryOut(world, service, 'startVm', 'web');
  const listed = await host.hypervisor.listDomains();
  const names = listed.ok ? listed.value.map((domain) => domain.name) : [];
  t.deepEqual(names, ['web', `web-${vm.slice(0, 8)}`]);
});

test('a disk that could not be detached when a start failed is detached soon after', async (t) => {
  const { world, host } = await worldOf(t);
  const service = host.start();
  await create(world, service, 'web');
  await host.hypervisor.inject({
    effect: { kind: 'call-fails', call: 'createDomain', code: 'hypervisor-failed' },
    uuid: null,
    times: 1,
  });
  host.storage.failDetach({ reason: 'STORAGE', message: 'the device is busy', remedy: '' }, 3);
  const ended = await endOf(world.pool, granted(await ask(service, 'startVm', 'web')).id);
  t.regex(ended.failure?.message ?? '', /undoing "attach disk xvda" failed as well: the device/);
  await until(async () => host.storage.attached.size === 0);
  t.pass();
});

test('a storage service that is away for a moment only delays a start', async (t) => {
  const { world, host } = await worldOf(t);
  const service = host.start();
  const vm = await create(world, service, 'web');
  host.storage.failNext({ reason: 'SERVICE_UNAVAILABLE', message: 'it restarts', remedy: '' });
  await carryOut(world, service, 'startVm', 'web');
  t.deepEqual(await takeStock(world, vm), running);
});

test('a claim that is not the newest any more builds no domain', async (t) => {
  const { world, host } = await worldOf(t, 2);
  const service = host.start();
  const vm = await create(world, service, 'web');
  await service.lifecycle.close();
  const { id } = granted(await ask(service, 'startVm', 'web'));
  const stored = granted(await world.pool.vms.find('web'));
  const newer = { ...stored.record, host: nth(world.hosts, 1).id as HostId, epoch: 9 as Epoch };
  await world.pool.database.transact(world.pool.vms.replacing(stored, newer));
  host.start();
  t.like(await endOf(world.pool, id), { state: 'failed', failure: { reason: 'STALE_EPOCH' } });
  t.deepEqual((await takeStock(world, vm)).domains, []);
});
