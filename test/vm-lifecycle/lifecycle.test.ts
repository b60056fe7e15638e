import test from 'ava';
import type { DomainUuid } from '../../hypervisor/port.ts';
import type { VmId } from '../../pool/records/identifiers.ts';
import { ask, carryOut, create, nth } from './actions.ts';
import { fresh, halted, nothing, running, takeStock } from './inventory.ts';
import {
  endOf,
  granted,
  makeWorld,
  refused,
  type Service,
  someCall,
  until,
  vmRequest,
  type World,
  type WorldHost,
} from './world.ts';

interface Scene {
  readonly world: World;
  readonly services: readonly Service[];
  readonly service: Service;
  readonly host: WorldHost;
}

async function scene(
  t: { teardown(after: () => Promise<void>): void },
  hosts = 1,
  settings: { memory?: number } = {},
): Promise<Scene> {
  const world = await makeWorld(hosts, settings);
  const services = world.hosts.map((host) => host.start());
  await Promise.all(services.map((service) => service.lifecycle.settled));
  t.teardown(() => world.close());
  return { world, services, service: nth(services, 0), host: nth(world.hosts, 0) };
}

async function powerOf(service: Service, vm: string) {
  return granted(await service.lifecycle.handlers.getVm?.({ vm }, someCall));
}

function fault(vm: VmId | null, kind: 'guest-crashes' | 'guest-ignores-shutdown') {
  return { effect: { kind }, uuid: vm as string as DomainUuid | null, times: 1 };
}

test('a VM is made, started, rebooted, shut down and deleted, and nothing is left', async (t) => {
  const { world, service } = await scene(t);
  const vm = await create(world, service, 'web');
  t.deepEqual(await takeStock(world, vm), fresh);
  await carryOut(world, service, 'startVm', 'web');
  t.deepEqual(await takeStock(world, vm), running);
  t.like(await powerOf(service, 'web'), {
    powerState: 'POWER_STATE_RUNNING',
    host: 'host-1',
    domid: 1,
    epoch: 1,
    operation: '',
  });
  await carryOut(world, service, 'rebootVm', 'web');
  t.deepEqual(await takeStock(world, vm), running);
  t.like(await powerOf(service, 'web'), { domid: 2, epoch: 1 });
  await carryOut(world, service, 'shutdownVm', 'web');
  t.deepEqual(await takeStock(world, vm), halted);
  t.like(await powerOf(service, 'web'), { powerState: 'POWER_STATE_HALTED', host: '', domid: 0 });
  await carryOut(world, service, 'deleteVm', 'web');
  t.deepEqual(await takeStock(world, vm), nothing);
});

test('a VM that is destroyed leaves nothing behind, and starts again under a new claim', async (t) => {
  const { world, service } = await scene(t);
  const vm = await create(world, service, 'web');
  await carryOut(world, service, 'startVm', 'web');
  await carryOut(world, service, 'destroyVm', 'web');
  t.deepEqual(await takeStock(world, vm), halted);
  await carryOut(world, service, 'startVm', 'web');
  t.like(await powerOf(service, 'web'), { epoch: 2, powerState: 'POWER_STATE_RUNNING' });
});

test('any host answers, and the host with the disk runs the VM', async (t) => {
  const { world, services } = await scene(t, 3);
  await create(world, nth(services, 0), 'web', {}, 'host-2');
  await carryOut(world, nth(services, 2), 'startVm', 'web');
  t.like(await powerOf(nth(services, 0), 'web'), { host: 'host-2' });
});

test('of two VMs of one name that are made at once, exactly one is', async (t) => {
  const { world, services } = await scene(t, 2);
  const answers = await Promise.all(
    [0, 1].map((index) =>
      nth(services, index).lifecycle.handlers.createVm?.(vmRequest('web'), someCall),
    ),
  );
  const lost = answers.filter((answer) => answer?.ok === false);
  t.is(lost.length, 1);
  t.is(refused(lost[0]).reason, 'NAME_TAKEN');
  const won = answers.find((answer) => answer?.ok === true);
  t.is((await endOf(world.pool, granted(won).id)).state, 'succeeded');
  t.is(granted(await world.pool.vms.all()).length, 1);
});

test('VMs that are started at once never take more memory than there is', async (t) => {
  const { world, services } = await scene(t, 2, { memory: 1024 * 2 ** 20 });
  const names = Array.from({ length: 12 }, (_, index) => `vm-${index}`);
  for (const name of names) await create(world, nth(services, 0), name, { disks: [] });
  const answers = await Promise.all(
    names.map((name, index) => ask(nth(services, index % 2), 'startVm', name)),
  );
  const accepted = answers.filter((answer) => answer?.ok === true);
  t.is(accepted.length, 8);
  for (const answer of accepted)
    t.is((await endOf(world.pool, granted(answer).id)).state, 'succeeded');
  for (const answer of answers) if (answer?.ok === false) t.is(answer.error.reason, 'NO_HOST_FITS');
  for (const { hypervisor } of world.hosts) {
    const domains = await hypervisor.listDomains();
    t.is(domains.ok ? domains.value.length : -1, 4);
  }
});

test('the same request twice is one operation; a dry run is none', async (t) => {
  const { world, service } = await scene(t);
  const requestId = '11111111-0000-4000-8000-000000000000';
  const request = { ...vmRequest('web'), requestId };
  const first = granted(await service.lifecycle.handlers.createVm?.(request, someCall));
  const again = granted(await service.lifecycle.handlers.createVm?.(request, someCall));
  t.is(again.id, first.id);
  await endOf(world.pool, first.id);
  const start = { vm: 'web', host: '', validateOnly: true, requestId: '' };
  const dry = granted(await service.lifecycle.handlers.startVm?.(start, someCall));
  t.is(dry.id, '');
  t.true((dry.steps?.length ?? 0) > 5);
  t.like(await powerOf(service, 'web'), { powerState: 'POWER_STATE_HALTED', epoch: 0 });
  t.is(
    granted(await world.pool.operations.all()).filter((o) => o.record.verb === 'vm.start').length,
    0,
  );
});

test('a start that fails is undone, and the VM says why it is halted', async (t) => {
  const { world, service, host } = await scene(t);
  const vm = await create(world, service, 'web');
  await host.hypervisor.inject({
    effect: { kind: 'call-fails', call: 'unpause', code: 'hypervisor-failed' },
    uuid: null,
    times: 1,
  });
  const ended = await endOf(world.pool, granted(await ask(service, 'startVm', 'web')).id);
  t.is(ended.state, 'failed');
  t.is(ended.failure?.reason, 'HYPERVISOR');
  t.deepEqual(await takeStock(world, vm), halted);
  t.regex((await powerOf(service, 'web')).powerStateDetail ?? '', /hypervisor of host-1 refused/);
  await carryOut(world, service, 'startVm', 'web');
  t.deepEqual(await takeStock(world, vm), running);
});

test('a VM whose disk cannot be made leaves nothing', async (t) => {
  const { world, service } = await scene(t);
  const boot = { kernel: '/nowhere/vmlinuz', ramdisk: '', commandLine: '' };
  const asked = service.lifecycle.handlers.createVm?.(vmRequest('web', { boot }), someCall);
  const ended = await endOf(world.pool, granted(await asked).id);
  t.is(ended.state, 'failed');
  t.like(ended.failure, {
    reason: 'BOOT_FILE',
    message: '/nowhere/vmlinuz does not exist on host-1',
    field: 'vm.boot.kernel',
  });
  t.deepEqual(await takeStock(world, ended.resource.id as VmId), nothing);
  await create(world, service, 'web');
  t.pass();
});

test('a guest that ignores a shutdown runs on, and can be destroyed', async (t) => {
  const { world, service, host } = await scene(t);
  const vm = await create(world, service, 'web');
  await carryOut(world, service, 'startVm', 'web');
  await host.hypervisor.inject(fault(vm, 'guest-ignores-shutdown'));
  const request = { vm: 'web', timeoutSeconds: 1, validateOnly: false, requestId: '' };
  const asked = granted(await service.lifecycle.handlers.shutdownVm?.(request, someCall));
  const ended = await endOf(world.pool, asked.id);
  t.like(ended, { state: 'failed', failure: { reason: 'WRONG_STATE' } });
  t.is(ended.failure?.remedy, 'Stop it at once: flotilla vm destroy web.');
  t.deepEqual(await takeStock(world, vm), running);
  await carryOut(world, service, 'destroyVm', 'web');
  t.deepEqual(await takeStock(world, vm), halted);
});

test('a guest that crashes is cleaned up, with a detail and an event', async (t) => {
  const { world, service, host } = await scene(t);
  await host.hypervisor.inject(fault(null, 'guest-crashes'));
  const vm = await create(world, service, 'web');
  granted(await ask(service, 'startVm', 'web'));
  await until(async () => (await powerOf(service, 'web')).powerStateDetail === 'the guest crashed');
  await until(async () => (await takeStock(world, vm)).operation === null);
  t.deepEqual(await takeStock(world, vm), halted);
  const events = granted(await world.pool.events.all());
  t.true(events.some(({ record }) => record.message === 'vm web ended: the guest crashed'));
});

for (const [typed, outcome] of [
  ['poweroff', halted],
  ['reboot', running],
] as const)
  test(`a guest that does a ${typed} by itself ends as it should`, async (t) => {
    const { world, service } = await scene(t);
    const vm = await create(world, service, 'web');
    await carryOut(world, service, 'startVm', 'web');
    const console = service.consoles.find(vm);
    await until(async () => (await printed(service, vm)).includes('login: '));
    console?.write(new TextEncoder().encode(`${typed}\n`));
    await until(async () =>
      granted(await world.pool.operations.all()).some(
        ({ record }) =>
          record.verb === (typed === 'reboot' ? 'vm.restart' : 'vm.clean-up') &&
          record.state === 'succeeded',
      ),
    );
    t.deepEqual(await takeStock(world, vm), outcome);
  });

async function printed(service: Service, vm: VmId): Promise<string> {
  const console = service.consoles.find(vm);
  if (console === null) return '';
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  let text = '';
  for await (const data of console.output(stop.signal)) text += new TextDecoder().decode(data);
  return text;
}

test('a console tells a late reader what was printed, and ends when the VM is halted', async (t) => {
  const { world, service } = await scene(t);
  const vm = await create(world, service, 'web');
  await carryOut(world, service, 'startVm', 'web');
  await until(async () => (await printed(service, vm)).includes('Run /init'));
  const console = service.consoles.find(vm);
  const reading = (async () => {
    let text = '';
    const { signal } = new AbortController();
    for await (const data of console?.output(signal) ?? []) text += new TextDecoder().decode(data);
    return text;
  })();
  await carryOut(world, service, 'shutdownVm', 'web');
  t.regex(await reading, /Linux version[\s\S]*Power down/);
  t.is(service.consoles.find(vm), null);
});

test('VMs of a host without a lease are unknown, and the detail names the host', async (t) => {
  const { world, services, host } = await scene(t, 2);
  await create(world, nth(services, 0), 'web', {}, 'host-1');
  await carryOut(world, nth(services, 0), 'startVm', 'web');
  await host.setUp(false);
  const other = nth(services, 1);
  t.like(await powerOf(other, 'web'), {
    powerState: 'POWER_STATE_UNKNOWN',
    powerStateDetail: 'host-1 is down: nobody can say whether the VM runs',
  });
  t.is(refused(await ask(other, 'startVm', 'web')).reason, 'HOST_UNREACHABLE');
  await host.setUp(true);
  t.like(await powerOf(other, 'web'), { powerState: 'POWER_STATE_RUNNING' });
});

test('a VM whose disk is on a host that is down is refused, with the reason per host', async (t) => {
  const { world, services, host } = await scene(t, 2);
  await create(world, nth(services, 1), 'web', {}, 'host-1');
  await host.setUp(false);
  const failure = refused(await ask(nth(services, 1), 'startVm', 'web'));
  t.is(failure.reason, 'NO_HOST_FITS');
  t.regex(
    failure.message,
    /host-1: it is down; host-2: disk web-xvda \(SR local-1\) is on another host/,
  );
  t.is(refused(await ask(nth(services, 1), 'deleteVm', 'web')).reason, 'HOST_UNREACHABLE');
});
