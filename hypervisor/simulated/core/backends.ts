import {
  controlDomain,
  type DiskConfig,
  type DomainConfig,
  type DomainId,
  type HypervisorError,
} from '../../port.ts';
import type { Host, SimulatedDomain } from './state.ts';

/** Which domain serves which device of a simulated host, and what becomes of it when that ends. */

/** What is wrong with the backends of a configuration's devices, or null. */
export function deviceFailure(host: Host, { disks, nics }: DomainConfig): HypervisorError | null {
  for (const disk of disks) {
    const wrong = diskFailure(host, disk);
    if (wrong !== null) return wrong;
  }
  for (const { index, backend } of nics) {
    const wrong = backendFailure(host, backend, `NIC ${index}`);
    if (wrong !== null) return wrong;
  }
  return null;
}

/** What is wrong with the backend of a disk, or null. */
export function diskFailure(
  host: Host,
  { vdev, path, backend, device }: DiskConfig,
): HypervisorError | null {
  const wrong = backendFailure(host, backend, `disk ${vdev}`);
  if (wrong !== null || backend === controlDomain || device !== null) return wrong;
  return unavailable(
    `disk ${vdev}: ${path} of domain ${backend} came without the number of its device`,
  );
}

/** Says that a backend is no domain of this host, or null. */
export function backendFailure(
  host: Host,
  backend: DomainId,
  what: string,
): HypervisorError | null {
  if (backend === controlDomain) return null;
  const domain = host.domains.get(backend);
  if (domain !== undefined && domain.state.kind !== 'dying') return null;
  return unavailable(`${what}: its backend, domain ${backend}, is not there`);
}

/** Says that a disk is to be connected to another backend than it was built with, or null. */
export function otherBackend(
  { id }: SimulatedDomain,
  built: DiskConfig,
  { vdev, backend }: DiskConfig,
): HypervisorError | null {
  if (built.backend === backend) return null;
  return unavailable(
    `disk ${vdev} of domain ${id} was built with domain ${built.backend} as its backend, not with ${backend}`,
  );
}

/** Says that a disk's backend ended with requests unfinished, or null. */
export function lostDisk(
  { id, lost }: SimulatedDomain,
  { vdev, backend }: DiskConfig,
): HypervisorError | null {
  if (!lost.has(vdev)) return null;
  return unavailable(
    `disk ${vdev} of domain ${id}: domain ${backend}, which served it, ended with requests of the guest unfinished; destroy the guest and start it again`,
  );
}

/**
 * A domain has ended: what it served is served no longer, until it is connected again. Disks that it
 * had not let go of are lost; a guest that was not up yet had served none.
 */
export function disconnectBackend(host: Host, ended: SimulatedDomain): void {
  const loses = ended.guest.listening && !ended.drained;
  for (const { config, disks, nics, lost } of host.domains.values()) {
    for (const { vdev, backend } of [...disks.values()]) {
      if (backend !== ended.id) continue;
      disks.delete(vdev);
      if (loses) lost.add(vdev);
    }
    for (const { index, backend } of config.nics) if (backend === ended.id) nics.delete(index);
  }
}

function unavailable(detail: string): HypervisorError {
  return { code: 'device-unavailable', detail };
}
