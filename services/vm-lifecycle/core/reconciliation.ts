/** A VM record as reconciliation sees it, with the newest status that its host wrote. */
export interface ReconciledVm {
  readonly id: string;
  readonly name: string;
  readonly desired: 'halted' | 'running';
  readonly host: string | null;
  readonly epoch: number;
  /** The operation under way: it alone moves the VM. */
  readonly operation: string | null;
  /** Of the newest epoch; null where none was written yet. */
  readonly reported: 'halted' | 'running' | 'paused' | null;
  /** The domain of which the status speaks. */
  readonly domid: number;
}

/** A domain as the hypervisor reports it now. */
export interface ObservedDomain {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly state:
    | { readonly kind: 'running' }
    | { readonly kind: 'paused' }
    | { readonly kind: 'shutdown'; readonly reason: ShutdownReason }
    | { readonly kind: 'dying' };
}

/** Why a domain stopped by itself. */
export type ShutdownReason = 'poweroff' | 'reboot' | 'suspend' | 'crash' | 'watchdog';

/** What this host is to do so that what runs is what the pool wants. */
export type Action =
  /** Record an operation that clears away what is left of the VM; it will be halted. */
  | { readonly kind: 'clean-up'; readonly vm: string; readonly detail: string }
  /** Record an operation that builds the VM's domain anew under the same claim. */
  | { readonly kind: 'restart'; readonly vm: string }
  /** Record an operation that has the backends take up devices of the VM again, which runs on. */
  | {
      readonly kind: 'reconnect';
      readonly vm: string;
      readonly disks: readonly string[];
      readonly nics: readonly number[];
    }
  /** Write the status that the domain shows; nothing else is wrong. */
  | {
      readonly kind: 'report';
      readonly vm: string;
      readonly powerState: 'running' | 'paused';
      readonly domid: number;
    };

/** The detail of a status after a crash; an event says the same. */
export const crashDetail = 'the guest crashed';

/**
 * Compares the VMs that this host, `self`, has claimed with its domains. The answer depends on the
 * state alone, not on how it came about, so it can be asked for at any time and as often as one
 * likes. The records must have been read before the domains and be unchanged since: then no
 * operation can have moved a VM in between.
 */
export function settleVms(
  self: string,
  vms: readonly ReconciledVm[],
  domains: readonly ObservedDomain[],
): readonly Action[] {
  const byUuid = new Map(alive(domains).map((domain) => [domain.uuid, domain]));
  return vms
    .filter((vm) => vm.host === self)
    .flatMap((vm) => settle(vm, byUuid.get(vm.id) ?? null));
}

/**
 * The domains that are to be destroyed: Flotilla built them on this host (`own`), but their VM is
 * gone, claimed by another host, or halted. Domains of others are never named. The domains must
 * have been listed before the records were read: then the domain of an operation that has just
 * begun is not among them.
 */
export function strayDomains(
  self: string,
  vms: readonly ReconciledVm[],
  domains: readonly ObservedDomain[],
  own: (domain: ObservedDomain) => boolean,
): readonly ObservedDomain[] {
  const expected = new Set(vms.filter((vm) => hasPlace(self, vm)).map((vm) => vm.id));
  return alive(domains).filter((domain) => !expected.has(domain.uuid) && own(domain));
}

function alive(domains: readonly ObservedDomain[]): readonly ObservedDomain[] {
  return domains.filter((domain) => domain.state.kind !== 'dying');
}

/**
 * Whether a domain, a disk or an interface of the VM has its place on this host: the VM is claimed
 * here and wanted to run, or an operation is to clear it away.
 */
export function hasPlace(self: string, vm: ReconciledVm): boolean {
  if (vm.host !== self) return false;
  const maybeRuns = vm.reported !== null && vm.reported !== 'halted';
  return vm.operation !== null || vm.desired === 'running' || maybeRuns;
}

function settle(vm: ReconciledVm, domain: ObservedDomain | null): Action[] {
  if (vm.operation !== null) return [];
  const cleanUp = (detail: string): Action[] => [{ kind: 'clean-up', vm: vm.id, detail }];
  if (vm.desired === 'halted')
    return vm.reported === null || vm.reported === 'halted' ? [] : cleanUp('');
  if (domain === null)
    return cleanUp('its domain was gone: the host restarted or another tool ended it');
  switch (domain.state.kind) {
    case 'dying':
      return [];
    case 'running':
    case 'paused':
      if (vm.reported === domain.state.kind && vm.domid === domain.id) return [];
      return [{ kind: 'report', vm: vm.id, powerState: domain.state.kind, domid: domain.id }];
    case 'shutdown':
      return afterShutdown(vm, domain.state.reason);
  }
}

function afterShutdown(vm: ReconciledVm, reason: ShutdownReason): Action[] {
  switch (reason) {
    case 'poweroff':
      return [{ kind: 'clean-up', vm: vm.id, detail: '' }];
    case 'reboot':
      return [{ kind: 'restart', vm: vm.id }];
    case 'crash':
      return [{ kind: 'clean-up', vm: vm.id, detail: crashDetail }];
    case 'watchdog':
      return [{ kind: 'clean-up', vm: vm.id, detail: "the guest's watchdog expired" }];
    case 'suspend':
      return [{ kind: 'clean-up', vm: vm.id, detail: 'the guest suspended itself' }];
  }
}
