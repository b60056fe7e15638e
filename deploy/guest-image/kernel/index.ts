import type { Architecture } from '../../../pool/images/manifest.ts';
import type { ServiceName } from '../../../pool/records/host.ts';
import type { Report } from '../../image/command.ts';
import { cloudKernel } from './cloud.ts';
import type { GuestKernel, KernelOrigin } from './guest-kernel.ts';
import { specialisedKernel } from './specialised.ts';

export type { GuestKernel, KernelOrigin } from './guest-kernel.ts';

/**
 * The kernel of a service's guest, from the cache or built into it. The cloud kernel is the same
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
      return cloudKernel(architecture, report);
    case 'specialised':
      return specialisedKernel(service, architecture, report);
  }
}
