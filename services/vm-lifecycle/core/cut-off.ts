import type { ObservedDomain, ReconciledVm } from './reconciliation.ts';

/** A VM with what it has of devices. */
export interface DeviceVm extends ReconciledVm {
  /** The disk images, by id. */
  readonly disks: readonly string[];
  /** How many interfaces it has; their places are 0 to one less. */
  readonly nics: number;
}

/** What the services of this host serve now. */
export interface ServedDevices {
  /** Disk images that are open for a backend. */
  readonly disks: ReadonlySet<string>;
  /** Interfaces that are on their bridge: `VM/INDEX`. */
  readonly nics: ReadonlySet<string>;
}

/** A VM that runs, and the devices of it that nobody serves. */
export interface CutOff {
  readonly vm: string;
  readonly disks: readonly string[];
  readonly nics: readonly number[];
}

/**
 * The VMs whose domain runs on this host, `self`, while the domain that served a disk or an
 * interface of theirs was built anew: nothing of what it had open outlived it. The VMs must have been
 * read before the domains, and the services asked after both; and a VM's record must be as it was
 * when something is done about it. Then no operation has moved the VM in between.
 */
export function cutOff(
  self: string,
  vms: readonly DeviceVm[],
  domains: readonly ObservedDomain[],
  served: ServedDevices,
): readonly CutOff[] {
  const byUuid = new Map(domains.map((domain) => [domain.uuid, domain]));
  return vms.flatMap((vm): CutOff[] => {
    if (!isSettled(self, vm, byUuid.get(vm.id))) return [];
    const disks = vm.disks.filter((vdi) => !served.disks.has(vdi));
    const indexes = Array.from({ length: vm.nics }, (_, index) => index);
    const nics = indexes.filter((index) => !served.nics.has(`${vm.id}/${index}`));
    return disks.length + nics.length === 0 ? [] : [{ vm: vm.id, disks, nics }];
  });
}

/** Its domain is there, as its status says, and nothing else is under way with it. */
function isSettled(self: string, vm: DeviceVm, domain: ObservedDomain | undefined): boolean {
  if (vm.host !== self || vm.operation !== null || vm.desired !== 'running') return false;
  if (domain === undefined || domain.id !== vm.domid) return false;
  const { kind } = domain.state;
  return (kind === 'running' || kind === 'paused') && vm.reported === kind;
}
