import { access, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../base/result.ts';
import type { DiskConfig, DomainConfig, DomainId, HypervisorError } from '../port.ts';
import { diskDeviceId } from './domain-config.ts';
import type { Store } from './store.ts';

/** netback makes its interface when it sees the device in xenstore: soon, not at once. */
const interfacePause = 50;
const interfaceAttempts = 200;

type Outcome = Result<void, HypervisorError>;

/**
 * Connects the backends of disks and NICs, which is what Xen's hotplug scripts do elsewhere
 * (tools/hotplug/Linux/block and vif-bridge): a backend goes on once it is told which device it
 * serves and that its side is in place.
 */
export class XenDevices {
  readonly #store: Store;

  /** Writes to `store`. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** Says what is wrong with the devices behind a configuration's disks, or null. */
  async check({ disks }: DomainConfig): Promise<HypervisorError | null> {
    for (const { vdev, path } of disks) {
      const device = await blockDevice(path);
      if (device === null)
        return unavailable(`disk ${vdev}: ${path} is not a block device of this host`);
    }
    return null;
  }

  /** Tells a disk's backend which block device it serves. */
  async connectDisk(id: DomainId, { vdev, path }: DiskConfig): Promise<Outcome> {
    const backend = await this.#backend(id, 'vbd', diskDeviceId(vdev), `disk ${vdev}`);
    if (!backend.ok) return backend;
    const device = await blockDevice(path);
    if (device === null)
      return fail(unavailable(`disk ${vdev}: ${path} is not a block device of this host`));
    const before = await this.#store.read(`${backend.value}/physical-device`);
    if (!before.ok) return before;
    if (before.value !== null && before.value !== device)
      return fail(unavailable(`disk ${vdev} of domain ${id} has another device already`));
    if (before.value === null) {
      const written = await this.#store.write(`${backend.value}/physical-device-path`, path);
      if (!written.ok) return written;
      const number = await this.#store.write(`${backend.value}/physical-device`, device);
      if (!number.ok) return number;
    }
    return this.#store.write(`${backend.value}/hotplug-status`, 'connected');
  }

  /** Waits for the interface that netback makes, and returns its name. */
  async nicInterface(id: DomainId, index: number): Promise<Result<string, HypervisorError>> {
    const backend = await this.#backend(id, 'vif', index, `NIC ${index}`);
    if (!backend.ok) return backend;
    const name = `vif${id}.${index}`;
    for (let attempt = 0; attempt < interfaceAttempts; attempt += 1) {
      if (await exists(`/sys/class/net/${name}`)) return ok(name);
      await sleep(interfacePause);
    }
    return fail(unavailable(`the backend made no interface ${name}; see whether netback is there`));
  }

  /** Tells a NIC's backend that its interface is on the network. */
  async connectNic(id: DomainId, index: number): Promise<Outcome> {
    const backend = await this.#backend(id, 'vif', index, `NIC ${index}`);
    return backend.ok ? this.#store.write(`${backend.value}/hotplug-status`, 'connected') : backend;
  }

  /**
   * A device's directory in its backend domain. libxl wrote it down where the guest cannot write,
   * so it is not the guest that says which node we change.
   */
  async #backend(
    id: DomainId,
    kind: 'vbd' | 'vif',
    device: number,
    what: string,
  ): Promise<Result<string, HypervisorError>> {
    const found = await this.#store.read(`/libxl/${id}/device/${kind}/${device}/backend`);
    if (!found.ok) return found;
    if (found.value !== null) return ok(found.value);
    return fail(unavailable(`domain ${id} was built without ${what}`));
  }
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
