import { ok, type Result } from '../../../../base/result.ts';
import type { Domain } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { type CutOff, cutOff } from '../../core/cut-off.ts';
import type { Environment } from '../environment.ts';
import type { PluggedNic } from '../host-network.ts';
import type { ListedDisk } from '../host-storage.ts';
import type { ClaimedVm } from './claimed-vms.ts';

/** What the storage and the network service of this host have in use now. */
export interface DevicesInUse {
  readonly disks: readonly ListedDisk[];
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
export function cutOffVms(
  { host }: Environment,
  vms: readonly ClaimedVm[],
  domains: readonly Domain[],
  { disks, nics }: DevicesInUse,
): readonly CutOff[] {
  const compared = vms.map(({ stored, compared: vm }) => ({
    ...vm,
    disks: stored.record.disks.map(({ vdi }) => vdi),
    nics: stored.record.nics.length,
  }));
  return cutOff(host.id, compared, domains, {
    disks: new Set(disks.filter(({ isOpen }) => isOpen).map(({ vdi }) => vdi)),
    nics: new Set(nics.map(({ vm, index }) => `${vm}/${index}`)),
  });
}
