import type { VmId } from '../../pool/records/identifiers.ts';
import { uuidOf } from '../../services/vm-lifecycle/adapters/domains.ts';
import { granted, type World } from './world.ts';

/** Everything that exists for a VM anywhere in the pool, in a form that tests compare. */
export interface Inventory {
  /** `host-1: running` for each domain of the VM. */
  readonly domains: readonly string[];
  /** Domains of anybody. */
  readonly allDomains: number;
  readonly attachments: number;
  readonly vifs: number;
  readonly reservations: number;
  readonly images: number;
  readonly lifecycle: string | null;
  readonly desired: string | null;
  readonly operation: string | null;
  readonly reported: string | null;
}

/** Takes stock of a VM. */
export async function takeStock({ pool, hosts }: World, vm: VmId): Promise<Inventory> {
  const domains: string[] = [];
  let allDomains = 0;
  for (const { name, hypervisor } of hosts) {
    const listed = await hypervisor.listDomains();
    if (!listed.ok) throw new Error(listed.error.detail);
    allDomains += listed.value.length;
    for (const domain of listed.value)
      if (domain.uuid === uuidOf(vm)) domains.push(`${name}: ${domain.state.kind}`);
  }
  const reservations = granted(await pool.reservations.all());
  const images = granted(await pool.vdis.all());
  const record = granted(await pool.vms.get(vm))?.record ?? null;
  const status = granted(await pool.vmStatuses.get(vm))?.record ?? null;
  return {
    domains,
    allDomains,
    attachments: hosts.reduce((sum, host) => sum + host.storage.attached.size, 0),
    vifs: hosts.reduce((sum, host) => sum + host.network.vifs.size, 0),
    reservations: reservations.length,
    images: images.length,
    lifecycle: record?.lifecycle ?? null,
    desired: record?.desired ?? null,
    operation: record?.operation ?? null,
    reported: record !== null && status?.epoch === record.epoch ? status.powerState : null,
  };
}

/** A VM with one disk and one interface that runs on the first host. */
export const running: Inventory = {
  domains: ['host-1: running'],
  allDomains: 1,
  attachments: 1,
  vifs: 1,
  reservations: 1,
  images: 1,
  lifecycle: 'ready',
  desired: 'running',
  operation: null,
  reported: 'running',
};

/** The same VM once it was stopped: nothing is left of it but its record and its disk. */
export const halted: Inventory = {
  ...running,
  domains: [],
  allDomains: 0,
  attachments: 0,
  vifs: 0,
  reservations: 0,
  desired: 'halted',
  reported: 'halted',
};

/** A VM that was never started. */
export const fresh: Inventory = { ...halted, reported: null };

/** A VM that is gone, or never was. */
export const nothing: Inventory = {
  ...fresh,
  images: 0,
  lifecycle: null,
  desired: null,
};
