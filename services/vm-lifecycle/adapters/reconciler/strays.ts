import { ok, type Result } from '../../../../base/result.ts';
import type { Domain } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { VmId } from '../../../../pool/records/identifiers.ts';
import { hasPlace, type ReconciledVm, strayDomains } from '../../core/reconciliation.ts';
import type { Environment } from '../environment.ts';
import { hypervisorFailure } from '../failures.ts';
import { reconciledVm } from './claimed-vms.ts';
import type { DevicesInUse } from './devices.ts';

/**
 * Destroys the domains that Flotilla built here and that nobody claims here any more. Each VM's
 * record is read after the domains were listed.
 */
export async function destroyStrays(
  environment: Environment,
  suspects: readonly Domain[],
): Promise<Result<void, Failure>> {
  const { host, hypervisor, journal, log } = environment;
  for (const suspect of suspects) {
    const vm = await readVm(environment, suspect.uuid as string as VmId);
    if (!vm.ok) return vm;
    const own = ({ uuid }: { uuid: string }) => journal.has(uuid) || vm.value !== null;
    const strays = strayDomains(host.id, vm.value === null ? [] : [vm.value], [suspect], own);
    if (strays.length === 0) continue;
    log.warn(
      { domid: suspect.id, uuid: suspect.uuid, name: suspect.name },
      'destroying a stray domain',
    );
    const gone = await hypervisor.destroyDomain(suspect.id);
    if (!gone.ok && gone.error.code !== 'domain-not-found')
      return { ok: false, error: hypervisorFailure(host.name, gone.error) };
    const noted = await journal.remove(suspect.uuid);
    if (!noted.ok) return noted;
  }
  return ok(undefined);
}

/**
 * Detaches disks and unplugs interfaces whose VM is gone, elsewhere or halted, and has no domain
 * here. Both calls carry the epoch that the device was given for: a newer claim keeps its own.
 */
export async function releaseStrayDevices(
  environment: Environment,
  { disks, nics }: DevicesInUse,
): Promise<Result<void, Failure>> {
  const { host, hypervisor, storage, network } = environment;
  const domains = await hypervisor.listDomains();
  if (!domains.ok) return { ok: false, error: hypervisorFailure(host.name, domains.error) };
  const alive = new Set(domains.value.map((domain) => domain.uuid as string));
  const stray = async (id: VmId): Promise<boolean> => {
    if (alive.has(id)) return false;
    const vm = await readVm(environment, id);
    return vm.ok && !(vm.value !== null && hasPlace(host.id, vm.value));
  };
  for (const nic of nics) {
    if (!(await stray(nic.vm))) continue;
    const unplugged = await network.unplug(nic);
    if (!unplugged.ok) return unplugged;
  }
  for (const disk of disks) {
    if (!(await stray(disk.vm))) continue;
    const detached = await storage.detach(disk);
    if (!detached.ok) return detached;
  }
  return ok(undefined);
}

async function readVm(
  { pool }: Environment,
  id: VmId,
): Promise<Result<ReconciledVm | null, Failure>> {
  const vm = await pool.vms.get(id);
  if (!vm.ok) return vm;
  if (vm.value === null) return ok(null);
  const status = await pool.vmStatuses.get(id);
  if (!status.ok) return status;
  return ok(reconciledVm(vm.value.record, status.value?.record ?? null));
}
