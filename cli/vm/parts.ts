import { NetworkService } from '../../proto/gen/flotilla.network.v1.ts';
import { StorageService } from '../../proto/gen/flotilla.storage.v1.ts';
import type { Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { askService } from '../connection/host-service.ts';
import type { PoolConnection } from '../connection/pool-connection.ts';
import { size } from '../output/humane.ts';

/** What people call the disks and networks of a VM, by their ids; those that nobody could tell are left out. */
export type PartNames = ReadonlyMap<string, string>;

/** Asks storage and network for what the VM's record only has ids of. */
export async function partNames(pool: PoolConnection, vm: Vm): Promise<PartNames> {
  const names = new Map<string, string>();
  const networks = new Set(vm.nics.map((nic) => nic.network));
  for (const id of networks) {
    const network = await askService(pool, 'network', NetworkService, (to, settings) =>
      to.getNetwork({ network: id }, settings),
    );
    if (network !== undefined) names.set(id, network.name);
  }
  for (const { vdi: id } of vm.disks) {
    const vdi = await askService(pool, 'storage', StorageService, (to, settings) =>
      to.getVdi({ vdi: id }, settings),
    );
    if (vdi === undefined) continue;
    const sr = await askService(pool, 'storage', StorageService, (to, settings) =>
      to.getSr({ sr: vdi.sr }, settings),
    );
    const place = sr === undefined ? '' : ` on ${sr.name}`;
    names.set(id, `${vdi.name}, ${size(vdi.virtualSize)}${place}`);
  }
  return names;
}
