import type { Architecture } from '../../../pool/images/manifest.ts';
import type { ServiceName } from '../../../pool/records/host.ts';
import type { Report } from '../../image/command.ts';
import { debianKernel } from './debian.ts';
import type { GuestKernel, KernelOrigin } from './guest-kernel.ts';
import { specialisedKernel } from './specialised.ts';

export type { GuestKernel, KernelOrigin } from './guest-kernel.ts';

/**
 * The kernel of a service's guest, from the cache or built into it. Those of Debian's are the same
 * for each service. What stops it is a `BuildFailure`.
 */
export async function buildGuestKernel(
  service: ServiceName,
  architecture: Architecture,
  origin: KernelOrigin,
  report: Report,
): Promise<GuestKernel> {
  switch (origin) {
    case 'cloud':
    case 'generic':
      return debianKernel(origin, architecture, report);
    case 'specialised':
      return specialisedKernel(service, architecture, report);
  }
}
