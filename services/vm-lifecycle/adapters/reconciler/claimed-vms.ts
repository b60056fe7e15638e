import type { Stored } from '../../../../pool/collection.ts';
import type { Change } from '../../../../pool/database.ts';
import { keyOf } from '../../../../pool/follow.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';
import type { VmRecord, VmStatus } from '../../../../pool/records/vm.ts';
import type { ReconciledVm } from '../../core/reconciliation.ts';

/** A VM of this host: its record, and what reconciliation compares. */
export interface ClaimedVm {
  readonly stored: Stored<VmRecord>;
  readonly compared: ReconciledVm;
}

/** The VMs that a host has claimed, each with its newest status, kept up to date change by change. */
export class ClaimedVms {
  readonly #pool: Pool;
  readonly #self: HostId;
  readonly #vms = new Map<string, Stored<VmRecord>>();
  readonly #statuses = new Map<string, VmStatus>();

  constructor(pool: Pool, self: HostId) {
    this.#pool = pool;
    this.#self = self;
  }

  /** Takes in changes below `vms/` and `vm-status/`; true where they concern this host. */
  take(changes: readonly Change[]): boolean {
    let concerned = false;
    for (const change of changes) if (this.#takeOne(change)) concerned = true;
    return concerned;
  }

  /** The VMs as they were last seen, each as reconciliation compares it. */
  snapshot(): readonly ClaimedVm[] {
    return [...this.#vms.values()].map((stored) => ({
      stored,
      compared: reconciledVm(stored.record, this.#statuses.get(stored.record.id) ?? null),
    }));
  }

  /** Whether this host has claimed a VM of this id. */
  has(id: string): boolean {
    return this.#vms.has(id);
  }

  #takeOne(change: Change): boolean {
    const { vms, vmStatuses } = this.#pool;
    const key = keyOf(change);
    const vm = vms.idOf(key);
    if (vm !== null) {
      const stored = change.kind === 'put' ? vms.decode(change.entry) : null;
      const isOwn = stored?.ok === true && stored.value.record.host === this.#self;
      if (isOwn) this.#vms.set(vm, stored.value);
      return isOwn ? true : this.#vms.delete(vm);
    }
    const statusOf = vmStatuses.idOf(key);
    if (statusOf === null) return false;
    const status = change.kind === 'put' ? vmStatuses.decode(change.entry) : null;
    const isOwn = status?.ok === true && status.value.record.host === this.#self;
    if (isOwn) this.#statuses.set(statusOf, status.value.record);
    return isOwn ? true : this.#statuses.delete(statusOf);
  }
}

/** A record and its status, as reconciliation compares them: a status of an older claim is none. */
export function reconciledVm(vm: VmRecord, status: VmStatus | null): ReconciledVm {
  const current = status?.epoch === vm.epoch ? status : null;
  return {
    id: vm.id,
    name: vm.name,
    desired: vm.desired,
    host: vm.host,
    epoch: vm.epoch,
    operation: vm.operation,
    reported: current?.powerState ?? null,
    domid: current?.domid ?? 0,
  };
}
