import { credentials } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { milliseconds } from '../../base/units.ts';
import { serve } from '../../pool/rpc/server.ts';
import { failureOf } from '../../pool/rpc/status.ts';
import { connect } from '../../proto/client.ts';
import type { Input } from '../../proto/codec.ts';
import {
  type UpdateVmRequest,
  type Vm,
  type VmEvent,
  VmService,
} from '../../proto/gen/flotilla.vm.v1.ts';
import { carryOut, create, nth } from './actions.ts';
import { granted, makeWorld, refused, type Service, someCall, until, vmRequest } from './world.ts';

const timeout = milliseconds(30_000);

async function serviceOf(t: ExecutionContext, hosts = 1) {
  const world = await makeWorld(hosts);
  t.teardown(() => world.close());
  const services = world.hosts.map((host) => host.start());
  return { world, services, service: nth(services, 0) };
}

/** Serves a host's service on a real port, and makes the host's record say so. */
async function serveOn(t: ExecutionContext, service: Service) {
  const served = await serve({
    listen: '127.0.0.1:0',
    credentials: null,
    services: [service.lifecycle.mounted],
  });
  if (!served.ok) throw new Error(served.error.message);
  const connection = connect(served.value.address, credentials.createInsecure());
  t.teardown(async () => {
    connection.close();
    await served.value.close();
  });
  return { address: served.value.address, vms: connection.client(VmService) };
}

function makeVm(service: Service, change: Partial<Vm>) {
  return service.lifecycle.handlers.createVm?.(vmRequest('web', change), someCall);
}

test('what a new VM names must exist, and the refusal names the field', async (t) => {
  const { service } = await serviceOf(t);
  const disk = { vdi: '', size: 2 ** 30, sr: '', vdev: '', readOnly: false, owned: false };
  for (const [change, field, reason] of [
    [{ nics: [{ network: 'nowhere', mac: '' }] }, 'vm.nics[0].network', 'NOT_FOUND'],
    [{ disks: [disk, { ...disk, sr: 'nowhere' }] }, 'vm.disks[1].sr', 'NOT_FOUND'],
    [{ disks: [{ ...disk, size: 0, vdi: 'nowhere' }] }, 'vm.disks[0].vdi', 'NOT_FOUND'],
    [{ disks: [{ ...disk, sr: 'local-1', size: 2 ** 41 }] }, 'vm.disks[0].size', 'NO_SPACE'],
    [{ memory: 1 }, 'vm.memory', 'INVALID_FIELD'],
    [{ name: 'Web' }, 'vm.name', 'INVALID_FIELD'],
  ] as const) {
    const failure = refused(await makeVm(service, change));
    t.is(failure.field, field);
    t.is(failure.reason, reason);
    t.not(failure.remedy, '');
  }
});

test('a disk that no repository has room for is refused with the reason per host', async (t) => {
  const { service } = await serviceOf(t, 2);
  const disk = { vdi: '', size: 2 ** 41, sr: '', vdev: '', readOnly: false, owned: false };
  const failure = refused(await makeVm(service, { disks: [disk] }));
  t.is(failure.reason, 'NO_HOST_FITS');
  t.regex(failure.message, /host-1: it has no SR with room for the disks; host-2: /);
});

test('a disk image that exists is used, is not owned, and stays when the VM is deleted', async (t) => {
  const { world, service } = await serviceOf(t);
  await create(world, service, 'first');
  const vdi = granted(await world.pool.vdis.find('first-xvda')).record.id;
  const disk = { vdi: 'first-xvda', size: 0, sr: '', vdev: '', readOnly: true, owned: false };
  await create(world, service, 'second', { disks: [disk] });
  const made = granted(await service.lifecycle.handlers.getVm?.({ vm: 'second' }, someCall));
  t.deepEqual(made.disks, [{ vdi, vdev: 'xvda', readOnly: true, owned: false }]);
  t.regex(refused(await makeVm(service, { disks: [disk, disk] })).message, /a VM has a disk once/);
  await carryOut(world, service, 'deleteVm', 'second');
  t.true((await world.pool.vdis.find('first-xvda')).ok);
});

test('an update changes what its mask names, when the VM allows it', async (t) => {
  const { world, service } = await serviceOf(t);
  await create(world, service, 'web');
  await create(world, service, 'db');
  const template = vmRequest('www', { memory: 2 ** 29, vcpus: 4 }).vm;
  const update = (paths: string[], change: Partial<Vm> = {}) => {
    const request: UpdateVmRequest = {
      ...{ vm: 'web', updateMask: { paths }, validateOnly: false },
      update: template === null ? null : { ...template, ...change },
    };
    return service.lifecycle.handlers.updateVm?.(request, someCall);
  };
  t.like(granted(await update(['memory'])), { name: 'web', memory: 2 ** 29, vcpus: 1 });
  const boot = { kernel: '', ramdisk: '/initrd', commandLine: 'quiet' };
  t.is(refused(await update(['boot.ramdisk'], { boot })).field, 'update.boot.kernel');
  t.like(granted(await update(['boot.command_line'], { boot })), {
    boot: { kernel: '', ramdisk: '', commandLine: 'quiet' },
  });
  t.is(refused(await update([])).field, 'update_mask');
  t.is(refused(await update(['disks'])).field, 'update_mask');
  t.is(refused(await update(['name'], { name: 'db' })).reason, 'NAME_TAKEN');
  await carryOut(world, service, 'startVm', 'web');
  const busy = refused(await update(['memory']));
  t.is(busy.reason, 'WRONG_STATE');
  t.is(busy.remedy, 'Shut it down first: flotilla vm shutdown web.');
  t.like(granted(await update(['name'])), { name: 'www', memory: 2 ** 29 });
  t.is(
    refused(await service.lifecycle.handlers.getVm?.({ vm: 'web' }, someCall)).reason,
    'NOT_FOUND',
  );
});

test('a list is paged and filtered', async (t) => {
  const { world, service } = await serviceOf(t);
  for (const name of ['web-1', 'web-2', 'db-1'])
    await create(world, service, name, { disks: [], nics: [] });
  await carryOut(world, service, 'startVm', 'web-2');
  const list = async (pageToken: string, filter: Partial<Vm> | null, pageSize = 2) => {
    const wish = { name: '', powerState: 'POWER_STATE_UNSPECIFIED', host: '', ...filter } as const;
    const request = { pageSize, pageToken, filter: filter === null ? null : wish };
    return granted(await service.lifecycle.handlers.listVms?.(request, someCall));
  };
  const first = await list('', null);
  const second = await list(first.nextPageToken ?? '', null);
  const names = [...(first.vms ?? []), ...(second.vms ?? [])].map((vm) => vm.name);
  t.deepEqual(names.sort(), ['db-1', 'web-1', 'web-2']);
  t.is(second.nextPageToken, '');
  const namesOf = async (filter: Partial<Vm>) =>
    (await list('', filter, 10)).vms?.map((vm) => vm.name).sort();
  t.deepEqual(await namesOf({ name: 'web' }), ['web-1', 'web-2']);
  t.deepEqual(await namesOf({ powerState: 'POWER_STATE_RUNNING' }), ['web-2']);
  t.deepEqual(await namesOf({ host: 'host-1' }), ['web-2']);
});

test('a watch tells of states as they change, and of a host that goes down', async (t) => {
  const { world, service } = await serviceOf(t);
  const { vms } = await serveOn(t, service);
  const events: VmEvent[] = [];
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const stream = vms.watchVms({}, { signal: stop.signal });
  stream.on('data', (event: VmEvent) => events.push(event)).on('error', () => {});
  const seen = (type: VmEvent['type'], powerState?: Vm['powerState']) =>
    until(async () =>
      events.some(
        (event) =>
          event.type === type && (powerState === undefined || event.vm?.powerState === powerState),
      ),
    );
  await seen('CHANGE_TYPE_SYNCED');
  await create(world, service, 'web');
  await seen('CHANGE_TYPE_CREATED', 'POWER_STATE_HALTED');
  await carryOut(world, service, 'startVm', 'web');
  await seen('CHANGE_TYPE_UPDATED', 'POWER_STATE_RUNNING');
  await nth(world.hosts, 0).setUp(false);
  await seen('CHANGE_TYPE_UPDATED', 'POWER_STATE_UNKNOWN');
  await nth(world.hosts, 0).setUp(true);
  await carryOut(world, service, 'destroyVm', 'web');
  await carryOut(world, service, 'deleteVm', 'web');
  await seen('CHANGE_TYPE_DELETED');
  t.pass();
});

test('any host answers for a console, with what was printed and what is typed', async (t) => {
  const { world, services } = await serviceOf(t, 2);
  const [owner, other] = [nth(services, 0), nth(services, 1)];
  const { address } = await serveOn(t, owner);
  const { vms } = await serveOn(t, other);
  const host = granted(await world.pool.hosts.find('host-1'));
  const record = { ...host.record, endpoints: { 'vm-lifecycle': address } };
  await world.pool.database.transact(world.pool.hosts.replacing(host, record));
  await create(world, other, 'web', {}, 'host-1');
  const halted = vms.openConsole({ timeout });
  const ended = new Promise<Parameters<typeof failureOf>[0]>((resolve) => {
    halted.on('error', resolve).on('data', () => {});
  });
  halted.write({ vm: 'web' });
  t.is(failureOf(await ended).reason, 'WRONG_STATE');
  await carryOut(world, other, 'startVm', 'web');
  const stream = vms.openConsole({ timeout });
  let text = '';
  stream.on('data', ({ data }: { data: Uint8Array }) => {
    text += Buffer.from(data).toString();
  });
  const closed = new Promise<void>((resolve) => {
    stream.on('end', resolve).on('error', resolve);
  });
  stream.write({ vm: 'web' } satisfies Input<{ vm: string }>);
  await until(async () => text.includes('login: '));
  stream.write({ data: Buffer.from('hello\r') });
  await until(async () => text.includes('you typed: hello'));
  await carryOut(world, other, 'destroyVm', 'web');
  await closed;
  t.regex(text, /^\[.*Linux version/);
});
