import { closeSync, openSync } from 'node:fs';
import { ok, type Result } from '../../base/result.ts';
import type { DomainId, HypervisorError } from '../port.ts';
import type { SharedPage } from '../xenstore-port.ts';
import { deviceFailure, ioctlNumber, type Kernel, lastError, mapPage } from './kernel.ts';

/** `struct ioctl_gntdev_map_grant_ref` for one grant, and the unmapping one: linux/xen/gntdev.h. */
const mapGrantRef = { number: ioctlNumber('G', 0, 24), size: 24 };
const unmapGrantRef = { number: ioctlNumber('G', 1, 16), size: 16 };

/** Pages that other domains have granted to this one, by the kernel's device /dev/xen/gntdev. */
export class Grants {
  readonly #kernel: Kernel;
  readonly #fd: number;

  /** Opens the device; throws where there is none. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#fd = openSync('/dev/xen/gntdev', 'r+');
  }

  /** Maps a granted page for reading and writing. It stays when the domain dies, until unmapped. */
  map(domain: DomainId, reference: number): Result<SharedPage, HypervisorError> {
    const request = Buffer.alloc(mapGrantRef.size);
    request.writeUInt32LE(1, 0);
    request.writeUInt32LE(domain, 16);
    request.writeUInt32LE(reference, 20);
    const what = `grant ${reference} of domain ${domain} cannot be mapped`;
    if (this.#kernel.ioctl(this.#fd, mapGrantRef.number, request) !== 0)
      return deviceFailure(`${what}: ${lastError()}`);
    const index = request.readBigUInt64LE(8);
    const page = mapPage(this.#kernel, this.#fd, Number(index), () => this.#forget(index));
    if (page.ok) return ok(page.value);
    this.#forget(index);
    return deviceFailure(`${what}: ${page.error}`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #forget(index: bigint): void {
    const request = Buffer.alloc(unmapGrantRef.size);
    request.writeBigUInt64LE(index, 0);
    request.writeUInt32LE(1, 8);
    this.#kernel.ioctl(this.#fd, unmapGrantRef.number, request);
  }
}
