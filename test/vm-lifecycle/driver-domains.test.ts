import test, { type ExecutionContext } from 'ava';
import { bytes } from '../../base/units.ts';
import type { DomainConfig, DomainId, DomainUuid } from '../../hypervisor/port.ts';
import type { VmId } from '../../pool/records/identifiers.ts';
import { carryOut, create, nth } from './actions.ts';
import { halted, running, takeStock } from './inventory.ts';
import { Life } from './mortal.ts';
import { granted, makeWorld, until, type World, type WorldHost } from './world.ts';

/** VMs whose disks and interfaces another guest of the host serves, and what its restart does. */

const driver: DomainConfig = {
  ...{ uuid: 'cccccccc-0000-4000-8000-00000000000d' as DomainUuid, name: 'driver', type: 'pvh' },
  ...{ memory: bytes(2 ** 26), vcpus: 1, kernel: '', ramdisk: null, commandLine: '' },
  ...{ disks: [], nics: [] },
};

/** With the driver domain there is one domain more than the VM's own. */
const runningBeside = { ...running, allDomains: 2 };

async function built({ hypervisor }: WorldHost, config: DomainConfig): Promise<DomainId> {
  const id = await hypervisor.createDomain(config);
  if (!id.ok) throw new Error(id.error.detail);
  return id.value;
}

/** A host whose storage and network services run in a driver domain, and a VM that runs on it. */
async function servedVm(t: ExecutionContext) {
  const world = await makeWorld(1);
  t.teardown(() => world.close());
  const host = nth(world.hosts, 0);
  const backend = await built(host, driver);
  host.storage.runIn(backend);
  host.network.runIn(backend);
  const service = host.start();
  const vm = await create(world, service, 'web');
  await carryOut(world, service, 'startVm', 'web');
  return { world, host, backend, service, vm };
}

/** What the VM's backends were told, of the domain that runs for it now. */
async function connected({ hypervisor }: WorldHost, vm: VmId) {
  const listed = await hypervisor.listDomains();
  const domain = listed.ok ? listed.value.find(({ uuid }) => uuid === (vm as string)) : undefined;
  const devices = domain === undefined ? null : await hypervisor.connectedDevices(domain.id);
  return devices?.ok === true ? devices.value : { disks: [], nics: [] };
}

/** The driver domain ends, and is built anew under its number; what it had open is gone. */
async function restartDriver(host: WorldHost, id: DomainId): Promise<void> {
  await host.hypervisor.destroyDomain(id);
  host.storage.restart();
  host.network.restart();
  await built(host, { ...driver, id });
}

async function operationsOf({ pool }: World, verb: string) {
  const operations = granted(await pool.operations.all());
  return operations.map(({ record }) => record).filter((record) => record.verb === verb);
}

async function isServed(host: WorldHost, vm: VmId): Promise<boolean> {
  const { disks, nics } = await connected(host, vm);
  return disks.length === 1 && nics.length === 1;
}

test('a VM is built with the domain that serves its disk and its interface', async (t) => {
  const { world, host, backend, service, vm } = await servedVm(t);
  const { disks, nics } = await connected(host, vm);
  t.like(disks[0], { vdev: 'xvda', backend, device: '7:1' });
  t.deepEqual(nics, [0]);
  t.deepEqual(await takeStock(world, vm), runningBeside);
  await carryOut(world, service, 'shutdownVm', 'web');
  t.deepEqual(await takeStock(world, vm), { ...halted, allDomains: 1 });
});

test('after its driver domain was built anew, a VM that ran on has its devices again', async (t) => {
  const { world, host, backend, vm } = await servedVm(t);
  await restartDriver(host, backend);
  t.false(await isServed(host, vm));
  await until(() => isServed(host, vm));
  await until(async () => (await takeStock(world, vm)).operation === null);
  t.deepEqual(await takeStock(world, vm), runningBeside);
  t.true(host.storage.open.size === 1 && host.network.vifs.size === 1);
  // An attempt that came while the driver domain was away may have failed.
  const operations = await operationsOf(world, 'vm.reconnect');
  const good = operations.filter(({ state }) => state === 'succeeded');
  t.deepEqual(
    good.map(({ steps }) => steps.map(({ name }) => name)),
    [['disk.reconnect', 'nic.reconnect']],
  );
});

test('a service that starts after its driver domain was built anew reconnects as well', async (t) => {
  const { host, backend, service, vm } = await servedVm(t);
  await service.lifecycle.close();
  await restartDriver(host, backend);
  host.start();
  await until(() => isServed(host, vm));
  t.pass();
});

test('a storage service that is not there yet is asked again', async (t) => {
  const { host, backend, vm } = await servedVm(t);
  const listing = host.storage.attachments;
  let refusals = 0;
  Object.assign(host.storage, {
    attachments: async () => {
      refusals += 1;
      const failure = { reason: 'SERVICE_UNAVAILABLE', message: 'it boots', remedy: '' };
      return refusals <= 2 ? { ok: false, error: failure } : listing();
    },
  });
  await restartDriver(host, backend);
  await until(() => isServed(host, vm));
  t.true(refusals > 2);
});

for (const effect of ['before', 'after'] as const)
  test(`a VM is reconnected whichever call kills the service ${effect} its effect`, async (t) => {
    let deaths = 0;
    for (let deathAt = 1; ; deathAt += 1) {
      const { world, host, backend, service, vm } = await servedVm(t);
      await service.lifecycle.close();
      await restartDriver(host, backend);
      const life = new Life(deathAt, effect);
      host.start(life);
      const isDone = async () =>
        (await isServed(host, vm)) && (await takeStock(world, vm)).operation === null;
      await Promise.race([life.died, until(async () => life.isDead || (await isDone()))]);
      const survived = !life.isDead;
      life.kill();
      host.start();
      await until(isDone);
      t.deepEqual(await takeStock(world, vm), runningBeside, `death at call ${deathAt}`);
      await world.close();
      if (survived) break;
      deaths += 1;
    }
    t.true(deaths >= 6, `${deaths} deaths`);
  });

test('a VM whose disk was left in the middle is not given it again before it is started anew', async (t) => {
  const { world, host, backend, service, vm } = await servedVm(t);
  // A driver domain that is up has served: its end finds requests on their way.
  const console = await host.hypervisor.openConsole(backend);
  const up = new Promise<void>((resolve) => {
    if (console.ok)
      console.value.onData((data) => {
        if (Buffer.from(data).toString().includes('login:')) resolve();
      });
  });
  await host.hypervisor.unpause(backend);
  await up;
  await restartDriver(host, backend);
  await until(async () =>
    (await operationsOf(world, 'vm.reconnect')).some(({ failure }) =>
      /xvda.*unfinished.*start it again/.test(failure?.message ?? ''),
    ),
  );
  t.like(await takeStock(world, vm), { domains: ['host-1: running'], attachments: 1 });
  await until(async () => (await takeStock(world, vm)).operation === null);
  await carryOut(world, service, 'destroyVm', 'web');
  await carryOut(world, service, 'startVm', 'web');
  t.true(await isServed(host, vm));
});

test('a VM whose driver domain has another number now runs on, and the operation says why', async (t) => {
  const { world, host, backend, vm } = await servedVm(t);
  // The other one serves before the first ends, so that no attempt finds neither of the two.
  const uuid = 'cccccccc-0000-4000-8000-00000000000e' as DomainUuid;
  const other = await built(host, { ...driver, uuid, name: 'other driver' });
  t.not(other, backend);
  host.storage.runIn(other);
  host.storage.restart();
  await host.hypervisor.destroyDomain(backend);
  const ended = async () =>
    (await operationsOf(world, 'vm.reconnect')).filter(({ endedAt }) => endedAt !== null);
  await until(async () => (await ended()).length > 0);
  const [failed] = await ended();
  t.is(failed?.state, 'failed');
  t.regex(failed?.failure?.message ?? '', new RegExp(`domain ${backend}.*not with ${other}`));
  t.like(await takeStock(world, vm), { domains: ['host-1: running'], attachments: 1 });
});
