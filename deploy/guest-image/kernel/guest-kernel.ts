import { stat } from 'node:fs/promises';
import { type Bytes, bytes } from '../../../base/units.ts';
import type { Manifest } from '../../../pool/images/manifest.ts';

/**
 * A kernel as a distribution built it, for virtual machines or for any machine, or one built with what a
 * service needs alone.
 */
export type KernelOrigin = Manifest['kernel']['origin'];

/** A kernel that a guest image is made with. */
export interface GuestKernel {
  /** The file that QEMU, Xen or a boot loader takes: a bzImage, on aarch64 an Image. */
  readonly image: string;
  /** What `uname -r` prints. */
  readonly release: string;
  readonly origin: KernelOrigin;
  /** Options of its configuration that are on, built in or as modules. */
  readonly options: number;
  /** The directory of its modules, such as `.../lib/modules/6.1.0`; null: all is built in. */
  readonly modules: string | null;
}

/** What a table of kernels shows of one, without booting it. */
export interface KernelFacts extends Pick<GuestKernel, 'release' | 'origin' | 'options'> {
  readonly size: Bytes;
}

/** The facts of a kernel that was built. */
export async function kernelFacts(kernel: GuestKernel): Promise<KernelFacts> {
  const { release, origin, options } = kernel;
  return { release, origin, options, size: bytes((await stat(kernel.image)).size) };
}
