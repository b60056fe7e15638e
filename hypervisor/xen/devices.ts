import { access, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../base/result.ts';
import {
  controlDomain,
  type DiskConfig,
  type DomainConfig,
  type DomainId,
  type HypervisorError,
  type UnservedDevices,
} from '../port.ts';
import {
  type Backend,
  backendOf,
  type Device,
  type DeviceStore,
  devicesOf,
  keepDrainedMarks,
  removeClosed,
  restoreEntries,
} from './device-entries.ts';
import { diskDeviceId, diskName } from './domain-config.ts';

/** netback makes its interface when it sees the device in xenstore: soon, not at once. */
const interfacePause = 50;
const interfaceAttempts = 200;

/** Between two looks at the entries of driver domains while a guest of theirs is destroyed. */
const releasePause = 50;

type Outcome = Result<void, HypervisorError>;

/** Whether a domain is there and not dying. */
type IsAlive = (id: DomainId) => Promise<Result<boolean, HypervisorError>>;

/**
 * Connects the backends of disks and NICs, which is what Xen's hotplug scripts do elsewhere
 * (tools/hotplug/Linux/block and vif-bridge): a backend goes on once it is told which device it
 * serves and that its side is in place. In a driver domain that is what `xl devd` does; we write
 * into the driver domain's entries from here, so that it needs no libxl.
 */
export class XenDevices {
  readonly #store: DeviceStore;
  readonly #isAlive: IsAlive;

  /** Writes to `store`. */
  constructor(store: DeviceStore, isAlive: IsAlive) {
    this.#store = store;
    this.#isAlive = isAlive;
  }

  /** Says what is wrong with the devices of a configuration, or null. */
  async check({ disks, nics }: DomainConfig): Promise<HypervisorError | null> {
    for (const disk of disks) {
      const wrong = await this.#backendIsGone(disk.backend, `disk ${disk.vdev}`);
      if (wrong !== null) return wrong;
      const device = await numberOf(disk);
      if (!device.ok) return device.error;
    }
    for (const { index, backend } of nics) {
      const wrong = await this.#backendIsGone(backend, `NIC ${index}`);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  /**
   * Tells a disk's backend which block device it serves. Where a driver domain was built anew under
   * its number, the disk's entries are written anew before.
   */
  async connectDisk(guest: DomainId, disk: DiskConfig): Promise<Outcome> {
    const { vdev, path } = disk;
    const what = `disk ${vdev}`;
    const backend = await this.#backend({ guest, kind: 'vbd', number: diskDeviceId(vdev) }, what);
    if (!backend.ok) return backend;
    if (backend.value.domain !== disk.backend) {
      const { domain } = backend.value;
      return fail(
        unavailable(
          `${what} of domain ${guest} was built with domain ${domain} as its backend, not with ${disk.backend}`,
        ),
      );
    }
    const device = await numberOf(disk);
    if (!device.ok) return device;
    const entries = backend.value.path;
    const before = await this.#store.read(`${entries}/physical-device`);
    if (!before.ok) return before;
    if (before.value !== null && before.value !== device.value)
      return fail(unavailable(`${what} of domain ${guest} has another device already`));
    if (before.value === null) {
      const written = await this.#store.write(`${entries}/physical-device-path`, path);
      if (!written.ok) return written;
      const number = await this.#store.write(`${entries}/physical-device`, device.value);
      if (!number.ok) return number;
    }
    return this.#store.write(`${entries}/hotplug-status`, 'connected');
  }

  /** The name of the interface that netback makes; waits for it where it is made in this domain. */
  async nicInterface(guest: DomainId, index: number): Promise<Result<string, HypervisorError>> {
    const backend = await this.#backend({ guest, kind: 'vif', number: index }, `NIC ${index}`);
    if (!backend.ok) return backend;
    const name = `vif${guest}.${index}`;
    if (backend.value.domain !== controlDomain) return ok(name);
    for (let attempt = 0; attempt < interfaceAttempts; attempt += 1) {
      if (await exists(`/sys/class/net/${name}`)) return ok(name);
      await sleep(interfacePause);
    }
    return fail(unavailable(`the backend made no interface ${name}; see whether netback is there`));
  }

  /** Tells a NIC's backend that its interface is on the network. */
  async connectNic(guest: DomainId, index: number): Promise<Outcome> {
    const backend = await this.#backend({ guest, kind: 'vif', number: index }, `NIC ${index}`);
    if (!backend.ok) return backend;
    return this.#store.write(`${backend.value.path}/hotplug-status`, 'connected');
  }

  /** The devices whose backend's entries are gone, or not connected yet. */
  async unserved(guest: DomainId): Promise<Result<UnservedDevices, HypervisorError>> {
    const devices = await devicesOf(this.#store, guest);
    if (!devices.ok) return devices;
    const disks: string[] = [];
    const nics: number[] = [];
    for (const { kind, number, backend } of devices.value) {
      const status = await this.#store.read(`${backend.path}/hotplug-status`);
      if (!status.ok) return status;
      if (status.value === 'connected') continue;
      if (kind === 'vif') nics.push(number);
      else disks.push(diskName(number));
    }
    return ok({ disks, nics });
  }

  /** Before a domain ends: keeps what it says of disks that it has let go of in good order. */
  keepMarks(driver: DomainId): Promise<Outcome> {
    return keepDrainedMarks(this.#store, driver);
  }

  /**
   * While `work` ends a domain, removes its entries in driver domains once their kernels have let
   * go of them: libxl 4.17 waits for that, 10 s a device, for in a driver domain of Xen's tools
   * `xl devd` removes them.
   */
  async releasing<Value>(guest: DomainId, work: () => Promise<Value>): Promise<Value> {
    const devices = await devicesOf(this.#store, guest);
    const backends = devices.ok ? devices.value.map(({ backend }) => backend) : [];
    const elsewhere = backends.filter(({ domain }) => domain !== controlDomain);
    let left: readonly string[] = elsewhere.map(({ path }) => path);
    let isDone = false;
    const working = work().finally(() => {
      isDone = true;
    });
    while (left.length > 0 && !isDone) {
      left = await removeClosed(this.#store, left);
      await Promise.race([working.catch(() => undefined), sleep(releasePause)]);
    }
    return working;
  }

  /** A device's backend, with its entries in place. It is not the guest that says which it is. */
  async #backend(device: Device, what: string): Promise<Result<Backend, HypervisorError>> {
    const found = await backendOf(this.#store, device);
    if (!found.ok) return found;
    if (found.value === null)
      return fail(unavailable(`domain ${device.guest} was built without ${what}`));
    const backend = found.value;
    if (backend.domain === controlDomain) return ok(backend);
    const gone = await this.#backendIsGone(backend.domain, what);
    if (gone !== null) return fail(gone);
    const restored = await restoreEntries(this.#store, device, backend);
    if (!restored.ok) return restored;
    return restored.value ? ok(backend) : fail(unavailable(undrained(device, what, backend)));
  }

  async #backendIsGone(backend: DomainId, what: string): Promise<HypervisorError | null> {
    if (backend === controlDomain) return null;
    const alive = await this.#isAlive(backend);
    if (!alive.ok) return alive.error;
    return alive.value
      ? null
      : unavailable(`${what}: its backend, domain ${backend}, is not there`);
  }
}

function undrained({ guest }: Device, what: string, { domain }: Backend): string {
  return `${what} of domain ${guest}: domain ${domain}, which served it, ended with requests of the guest unfinished; destroy the guest and start it again`;
}

/** The number of a disk's device as blkback reads it: `major:minor` in hexadecimal. */
async function numberOf({
  vdev,
  path,
  backend,
  device,
}: DiskConfig): Promise<Result<string, HypervisorError>> {
  if (backend !== controlDomain) {
    const number = device === null ? null : hexadecimal(device);
    if (number !== null) return ok(number);
    const detail = `disk ${vdev}: ${path} of domain ${backend} came without the number of its device`;
    return fail(unavailable(detail));
  }
  const number = await blockDevice(path);
  if (number !== null) return ok(number);
  return fail(unavailable(`disk ${vdev}: ${path} is not a block device of this host`));
}

/** `7:10` of /sys/dev/block as blkback reads it, `7:a`; null where it is no such number. */
export function hexadecimal(device: string): string | null {
  const match = /^(\d{1,4}):(\d{1,7})$/.exec(device);
  if (match === null) return null;
  return `${Number(match[1]).toString(16)}:${Number(match[2]).toString(16)}`;
}

/** A block device's number as blkback wants it, `major:minor` in hexadecimal, or null. */
async function blockDevice(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (!found?.isBlockDevice()) return null;
  const { major, minor } = deviceNumber(found.rdev);
  return `${major.toString(16)}:${minor.toString(16)}`;
}

/** Linux's `dev_t` taken apart, as glibc's `gnu_dev_major` and `gnu_dev_minor` do. */
export function deviceNumber(device: number): { major: number; minor: number } {
  return {
    major: (device >>> 8) & 0xfff,
    minor: (device & 0xff) | ((device >>> 12) & 0xfff00),
  };
}

function unavailable(detail: string): HypervisorError {
  return { code: 'device-unavailable', detail };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
