import test from 'ava';
import { ok } from '../../base/result.ts';
import { bytes } from '../../base/units.ts';
import { controlDomain, type DiskConfig, type DomainConfig, type DomainId } from '../port.ts';
import type { DeviceStore } from './device-entries.ts';
import { XenDevices } from './devices.ts';

const guest = 9 as DomainId;
const driver = 3 as DomainId;
const backend = '/local/domain/3/backend/vbd/9/51712';
const nicBackend = '/local/domain/3/backend/vif/9/0';
const disk: DiskConfig = {
  ...{ vdev: 'xvda', path: '/dev/loop10', readOnly: false },
  ...{ backend: driver, device: '7:10' },
};

/** What libxl 4.17 writes of a disk and of a NIC, as far as it matters here. */
const built = {
  '/libxl/9/device/vbd/51712/backend': backend,
  '/libxl/9/device/vbd/51712/frontend': '/local/domain/9/device/vbd/51712',
  '/libxl/9/device/vbd/51712/frontend-id': '9',
  '/libxl/9/device/vbd/51712/state': '1',
  '/libxl/9/device/vbd/51712/mode': 'w',
  '/libxl/9/device/vif/0/backend': nicBackend,
  '/libxl/9/device/vif/0/frontend': '/local/domain/9/device/vif/0',
  '/libxl/9/device/vif/0/hotplug-status': '',
  '/libxl/9/device/vif/0/state': '1',
  '/local/domain/9/device/vbd/51712/ring-ref': '8',
  '/local/domain/9/device/vif/0/mtu': '1500',
  '/local/domain/9/device/vif/0/queue-0/tx-ring-ref': '9',
};

/** A xenstore in memory, of which `shared` says who owns a node and who may read it. */
class PretendStore implements DeviceStore {
  readonly nodes: Map<string, string>;
  readonly shared = new Map<string, readonly [DomainId, DomainId]>();
  readonly writes: string[] = [];

  constructor(nodes: Readonly<Record<string, string>>) {
    this.nodes = new Map(Object.entries(nodes));
  }

  async read(path: string) {
    return ok(this.nodes.get(path) ?? null);
  }

  async write(path: string, value: string) {
    this.nodes.set(path, value);
    this.writes.push(path);
    return ok(undefined);
  }

  async list(path: string) {
    const below = [...this.nodes.keys()].filter((key) => key.startsWith(`${path}/`));
    return ok([...new Set(below.map((key) => key.slice(path.length + 1).split('/')[0] ?? ''))]);
  }

  async remove(path: string) {
    for (const key of [...this.nodes.keys()])
      if (key === path || key.startsWith(`${path}/`)) this.nodes.delete(key);
    return ok(undefined);
  }

  async make(path: string) {
    this.nodes.set(path, '');
    return ok(undefined);
  }

  async share(path: string, owner: DomainId, reader: DomainId) {
    this.shared.set(path, [owner, reader]);
    return ok(undefined);
  }
}

function devicesOf(nodes: Readonly<Record<string, string>>, alive: readonly DomainId[] = [driver]) {
  const store = new PretendStore(nodes);
  return { store, devices: new XenDevices(store, async (id) => ok(alive.includes(id))) };
}

function configOf(changes: Partial<DomainConfig>): DomainConfig {
  return {
    ...{ uuid: '7b1c2f6e-0000-4000-8000-000000000001' as DomainConfig['uuid'], name: 'web' },
    ...{ type: 'pvh', memory: bytes(2 ** 28), vcpus: 1, kernel: '/k', ramdisk: null },
    ...{ commandLine: '', disks: [], nics: [], ...changes },
  };
}

test('a driver domain is told the number of the device, and no path of this machine is looked at', async (t) => {
  const { store, devices } = devicesOf({ ...built, [`${backend}/state`]: '2' });
  t.true((await devices.connectDisk(guest, disk)).ok);
  t.is(store.nodes.get(`${backend}/physical-device`), '7:a');
  t.is(store.nodes.get(`${backend}/physical-device-path`), '/dev/loop10');
  t.is(store.nodes.get(`${backend}/hotplug-status`), 'connected');
  t.is(store.nodes.get(`${backend}/state`), '2');
  t.true((await devices.connectDisk(guest, disk)).ok);
  const other = await devices.connectDisk(guest, { ...disk, device: '7:11' });
  t.like(other, { ok: false, error: { code: 'device-unavailable' } });
});

test('a device is served once its backend was told that all is in place, until its entries go', async (t) => {
  const { store, devices } = devicesOf({ ...built, [`${backend}/state`]: '2' });
  const all = { ok: true, value: { disks: ['xvda'], nics: [0] } };
  t.deepEqual(await devices.unserved(guest), all);
  t.true((await devices.connectDisk(guest, disk)).ok);
  t.true((await devices.connectNic(guest, 0)).ok);
  t.deepEqual(await devices.unserved(guest), { ok: true, value: { disks: [], nics: [] } });
  await store.remove('/local/domain/3');
  t.deepEqual(await devices.unserved(guest), all);
});

test("a driver domain's interface is named at once, for it is not seen here", async (t) => {
  const { devices } = devicesOf({ ...built, [`${nicBackend}/state`]: '2' });
  t.deepEqual(await devices.nicInterface(guest, 0), { ok: true, value: 'vif9.0' });
});

const mark = '/libxl/9/device/vbd/51712/drained';

test('entries that went with a driver domain are written anew, the state last', async (t) => {
  const { store, devices } = devicesOf({ ...built, [mark]: '1' });
  t.true((await devices.connectDisk(guest, disk)).ok);
  const restored = store.writes.filter((path) => path.startsWith(backend));
  t.deepEqual(
    restored.map((path) => path.slice(backend.length + 1)),
    [
      ...['frontend', 'frontend-id', 'mode', 'state'],
      ...['physical-device-path', 'physical-device', 'hotplug-status'],
    ],
  );
  t.is(store.nodes.get(`${backend}/state`), '1');
  t.false(store.nodes.has(mark));
  t.is(store.nodes.get(`${backend}/frontend`), '/local/domain/9/device/vbd/51712');
  t.deepEqual(store.shared.get(backend), [driver, guest]);
  t.deepEqual(store.shared.get('/local/domain/9/device/vbd/51712/ring-ref'), [guest, driver]);
});

test('a disk of a driver domain that ended in the middle of its work is refused, with what to do', async (t) => {
  const { store, devices } = devicesOf(built);
  const refused = await devices.connectDisk(guest, disk);
  t.like(refused, { ok: false, error: { code: 'device-unavailable' } });
  t.regex(refused.ok ? '' : refused.error.detail, /xvda of domain 9: domain 3.*start it again/);
  t.deepEqual(store.writes, []);
});

test('what a driver domain says of disks that it let go of is kept, of its own disks alone', async (t) => {
  const stranger = '/local/domain/3/backend/vbd/9/51728';
  const { store, devices } = devicesOf({
    ...built,
    [`${backend}/drained`]: '1',
    '/libxl/9/device/vbd/51728/backend': '/local/domain/4/backend/vbd/9/51728',
    [`${stranger}/drained`]: '1',
    '/local/domain/3/backend/vbd/..%/x/drained': '1',
  });
  t.true((await devices.keepMarks(driver)).ok);
  t.deepEqual(store.writes, [mark]);
  await store.remove('/local/domain/3');
  t.true((await devices.connectDisk(guest, disk)).ok);
  await store.remove('/local/domain/3');
  t.false((await devices.connectDisk(guest, disk)).ok);
});

test('a driver domain may read the rings of every queue again, and owns what the guest must not write', async (t) => {
  const { store, devices } = devicesOf(built);
  t.true((await devices.connectNic(guest, 0)).ok);
  const frontend = '/local/domain/9/device/vif/0';
  t.deepEqual(store.shared.get(`${frontend}/queue-0/tx-ring-ref`), [guest, driver]);
  t.deepEqual(store.shared.get(`${frontend}/mtu`), [driver, guest]);
  t.is(store.nodes.get(`${nicBackend}/hotplug-status`), 'connected');
});

test('a backend that ended is named, and nothing is written for it', async (t) => {
  const { store, devices } = devicesOf(built, []);
  for (const answer of [
    await devices.connectDisk(guest, disk),
    await devices.nicInterface(guest, 0),
    await devices.connectNic(guest, 0),
  ]) {
    t.like(answer, { ok: false, error: { code: 'device-unavailable' } });
    t.regex(answer.ok ? '' : answer.error.detail, /domain 3/);
  }
  t.deepEqual(store.writes, []);
});

test('what a configuration says of driver domains is checked before anything is built', async (t) => {
  const { devices } = devicesOf({});
  t.is(await devices.check(configOf({ disks: [disk] })), null);
  const nic = { index: 0, mac: '00:16:3e:00:00:01', bridge: 'xenbr0', backend: 4 as DomainId };
  t.regex((await devices.check(configOf({ nics: [nic] })))?.detail ?? '', /NIC 0: .*domain 4/);
  const numberless = { ...disk, device: null };
  t.regex((await devices.check(configOf({ disks: [numberless] })))?.detail ?? '', /number/);
  const own = { ...numberless, backend: controlDomain, path: '/nonexistent' };
  t.regex((await devices.check(configOf({ disks: [own] })))?.detail ?? '', /not a block device/);
});

test('while a guest is destroyed, entries go once their backend has closed, and those of domain 0 stay', async (t) => {
  const own = '/local/domain/0/backend/vbd/9/51728';
  const { store, devices } = devicesOf({
    ...built,
    '/libxl/9/device/vbd/51728/backend': own,
    [`${own}/state`]: '6',
    [`${backend}/state`]: '5',
    [`${nicBackend}/state`]: '6',
  });
  const has = (path: string) => store.nodes.has(`${path}/state`);
  const result = await devices.releasing(guest, async () => {
    while (has(nicBackend)) await new Promise(setImmediate);
    t.true(has(backend));
    store.nodes.set(`${backend}/state`, '6');
    while (has(backend)) await new Promise(setImmediate);
    return 'destroyed';
  });
  t.is(result, 'destroyed');
  t.true(has(own));
});
