import type { Result } from '../../base/result.ts';
import type { HypervisorError } from '../port.ts';
import type { XenstoreHost } from '../xenstore-port.ts';
import type { XenstorePlace } from './xenstore-host.ts';

/** The real hypervisor, for those outside this folder. */
export { connectXen } from './client.ts';

/**
 * What a xenstored needs of this host's Xen, in this process; fails where this domain is not the one of
 * which `place` speaks. Foreign functions are loaded by this call.
 */
export async function openXenstoreHost(
  place: XenstorePlace,
): Promise<Result<XenstoreHost, HypervisorError>> {
  const { openLinuxXenstoreHost } = await import('./xenstore-host.ts');
  return openLinuxXenstoreHost(place);
}
