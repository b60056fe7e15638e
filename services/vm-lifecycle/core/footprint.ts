import { type Bytes, bytes } from '../../../base/units.ts';

const kibibyte = 2 ** 10;
const mebibyte = 2 ** 20;
/** The slack that libxl leaves to a domain on top: LIBXL_HVM_EXTRA_MEMORY of libxl_internal.h. */
const slack = 2 * mebibyte;

/** What runs a domain. */
export type HypervisorKind = 'xen' | 'simulated';

/**
 * What a domain takes from its host, its own memory included. On Xen that is more than its memory:
 * libxl sets aside 1 MiB a virtual CPU, and 8 KiB a MiB for page tables
 * (libxl_get_required_shadow_memory in tools/libs/light/libxl_utils.c). A host whose reservations did not
 * count it would promise memory that Xen then refuses.
 */
export function footprint(memory: number, vcpus: number, hypervisor: HypervisorKind): Bytes {
  switch (hypervisor) {
    case 'simulated':
      return bytes(memory);
    case 'xen': {
      const pages = Math.ceil(memory / mebibyte) * 8 * kibibyte;
      return bytes(memory + vcpus * mebibyte + pages + slack);
    }
  }
}
