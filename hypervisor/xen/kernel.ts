import koffi, { type KoffiFunc } from 'koffi';
import { fail, ok, type Result } from '../../base/result.ts';
import type { HypervisorError } from '../port.ts';
import type { SharedPage } from '../xenstore-port.ts';
import type { Pointer } from './libraries.ts';

/** The calls of Linux by which its Xen devices are used: ioctl(2) and mmap(2). */
export interface Kernel {
  readonly ioctl: KoffiFunc<(fd: number, request: number, argument: Uint8Array) => number>;
  readonly mmap: KoffiFunc<
    (
      address: null,
      length: number,
      protection: number,
      flags: number,
      fd: number,
      offset: number,
    ) => Pointer
  >;
  readonly munmap: KoffiFunc<(address: Pointer, length: number) => number>;
}

/** The length of a page. */
const pageLength = 4096;

/** PROT_READ and PROT_WRITE, MAP_SHARED and MAP_FAILED of mmap(2). */
const readAndWrite = 3;
const shared = 1;
const mapFailed = 0xffff_ffff_ffff_ffffn;

/** Loads them from the C library. */
export function loadKernel(): Kernel {
  const libc = koffi.load('libc.so.6');
  return {
    ioctl: libc.func('int ioctl(int fd, ulong request, uint8_t *argument)'),
    mmap: libc.func(
      'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
    ),
    munmap: libc.func('int munmap(void *address, size_t length)'),
  };
}

/** The number of an ioctl without a direction, as `_IOC(_IOC_NONE, group, number, size)` makes it. */
export function ioctlNumber(group: string, number: number, size: number): number {
  return (size << 16) | (group.charCodeAt(0) << 8) | number;
}

/** The name of the error that the last call has left, such as EINVAL. */
export function lastError(): string {
  const code = koffi.errno();
  const name = Object.entries(koffi.os.errno).find(([, value]) => value === code)?.[0];
  return name ?? `errno ${code}`;
}

/** A failure of one of the kernel's devices. */
export function deviceFailure(detail: string): { ok: false; error: HypervisorError } {
  return fail({ code: 'hypervisor-failed', detail });
}

/** Maps the page at `offset` of a device; `unmapped` is called when it is mapped no longer. */
export function mapPage(
  kernel: Kernel,
  fd: number,
  offset: number,
  unmapped: () => void,
): Result<SharedPage, string> {
  const address = kernel.mmap(null, pageLength, readAndWrite, shared, fd, offset);
  if (address === null || address === mapFailed) return fail(lastError());
  const memory = koffi.view(address, pageLength);
  let mapped = true;
  return ok({
    memory,
    unmap: () => {
      if (!mapped) return;
      mapped = false;
      // Views of the buffer are empty from here on: none of them reaches the address again.
      memory.transfer(0);
      kernel.munmap(address, pageLength);
      unmapped();
    },
  });
}
