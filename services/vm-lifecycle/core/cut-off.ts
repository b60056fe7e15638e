import type { ObservedDomain, ReconciledVm } from './reconciliation.ts';

/** A VM with its disks: which image is which of the guest's. */
export interface DiskedVm extends ReconciledVm {
  readonly disks: readonly { readonly vdi: string; readonly vdev: string }[];
}

/** Devices of a domain that no backend serves, as the hypervisor reports them. */
export interface Unserved {
  readonly disks: readonly string[];
  readonly nics: readonly number[];
}

/** A VM that runs, and the devices of it that nobody serves: images, and places of interfaces. */
export interface CutOff {
  readonly vm: string;
  readonly disks: readonly string[];
  readonly nics: readonly number[];
}

/**
 * The VMs that run on this host, `self`, with nothing else under way, and so ought to have all their
 * devices. The VMs must have been read before the domains, the domains asked about their devices
 * after both, and a VM's record must be as it was when something is done about it: then no operation
 * has moved the VM in between.
 */
export function atRest<Vm extends ReconciledVm>(
  self: string,
  vms: readonly Vm[],
  domains: readonly ObservedDomain[],
): readonly Vm[] {
  const byUuid = new Map(domains.map((domain) => [domain.uuid, domain]));
  return vms.filter((vm) => {
    if (vm.host !== self || vm.operation !== null || vm.desired !== 'running') return false;
    const domain = byUuid.get(vm.id);
    if (domain === undefined || domain.id !== vm.domid) return false;
    const { kind } = domain.state;
    return (kind === 'running' || kind === 'paused') && vm.reported === kind;
  });
}

/** What a VM at rest is cut off from; null where it is not: the driver domain was built anew. */
export function cutOff({ id, disks }: DiskedVm, unserved: Unserved): CutOff | null {
  const lost = disks.filter(({ vdev }) => unserved.disks.includes(vdev));
  if (lost.length + unserved.nics.length === 0) return null;
  return { vm: id, disks: lost.map(({ vdi }) => vdi), nics: unserved.nics };
}
