import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Domain, DomainId } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { atRest, type CutOff, cutOff } from '../../core/cut-off.ts';
import type { Environment } from '../environment.ts';
import { hypervisorFailure } from '../failures.ts';
import type { PluggedNic } from '../host-network.ts';
import type { AttachedDisk } from '../host-storage.ts';
import type { ClaimedVm } from './claimed-vms.ts';

/** What the storage and the network service of this host have in use now. */
export interface DevicesInUse {
  readonly disks: readonly AttachedDisk[];
  readonly nics: readonly PluggedNic[];
}

/** Asks both services. */
export async function devicesInUse({
  storage,
  network,
}: Environment): Promise<Result<DevicesInUse, Failure>> {
  const [disks, nics] = await Promise.all([storage.attachments(), network.plugged()]);
  if (!disks.ok) return disks;
  return nics.ok ? ok({ disks: disks.value, nics: nics.value }) : nics;
}

/** The VMs of this host that are cut off from some of their devices. */
export async function cutOffVms(
  { host, hypervisor }: Environment,
  vms: readonly ClaimedVm[],
  domains: readonly Domain[],
): Promise<Result<readonly CutOff[], Failure>> {
  const disked = vms.map(({ stored, compared }) => ({ ...compared, disks: stored.record.disks }));
  const cut: CutOff[] = [];
  for (const vm of atRest(host.id, disked, domains)) {
    const unserved = await hypervisor.unservedDevices(vm.domid as DomainId);
    if (!unserved.ok && unserved.error.code === 'domain-not-found') continue;
    if (!unserved.ok) return fail(hypervisorFailure(host.name, unserved.error));
    const one = cutOff(vm, unserved.value);
    if (one !== null) cut.push(one);
  }
  return ok(cut);
}
