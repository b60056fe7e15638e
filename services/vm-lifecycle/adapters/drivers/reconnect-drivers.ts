import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Domain, HypervisorError } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Epoch, VmId } from '../../../../pool/records/identifiers.ts';
import { requireDomain } from '../domains.ts';
import type { Environment } from '../environment.ts';
import { hypervisorFailure } from '../failures.ts';
import { stepDriver } from './step-driver.ts';
import { stepSchemas } from './step-schemas.ts';
import { checkClaim } from './vm-drivers.ts';

/**
 * The steps by which the devices of a running VM are served again after their driver domain was built
 * anew under its number. Each does all of what a start does for its device, in one, so that the
 * device's newest number and backend are used and not those of a step before a crash; and none has an
 * undo, for the guest has the device.
 */
export function reconnectDrivers(environment: Environment) {
  const { host, hypervisor, storage, network } = environment;
  const refused = (vm: VmId, error: HypervisorError): Result<never, Failure> =>
    fail(hypervisorFailure(host.name, error, { type: 'vm', name: vm }));
  const claimed = async (vm: VmId, epoch: Epoch): Promise<Result<Domain, Failure>> => {
    const current = await checkClaim(environment, vm, epoch);
    return current.ok ? requireDomain(environment, vm) : current;
  };
  return {
    'disk.reconnect': stepDriver(stepSchemas['disk.reconnect'], {
      do: async ({ vdi, vdev, vm, epoch, readOnly }) => {
        const domain = await claimed(vm, epoch);
        if (!domain.ok) return domain;
        const served = await storage.attach({ vdi, vm, epoch, readOnly });
        if (!served.ok) return served;
        const disk = { vdev, readOnly, ...served.value };
        const connected = await hypervisor.connectDisk(domain.value.id, disk);
        return connected.ok ? ok({ ...served.value }) : refused(vm, connected.error);
      },
    }),

    'nic.reconnect': stepDriver(stepSchemas['nic.reconnect'], {
      do: async ({ vm, epoch, index, network: id, mac }) => {
        const domain = await claimed(vm, epoch);
        if (!domain.ok) return domain;
        const prepared = await network.prepare(id);
        if (!prepared.ok) return prepared;
        const name = await hypervisor.nicInterface(domain.value.id, index);
        if (!name.ok) return refused(vm, name.error);
        const nic = { vm, epoch, index, network: id, mac, interfaceName: name.value };
        const plugged = await network.plug(nic);
        if (!plugged.ok) return plugged;
        const connected = await hypervisor.connectNic(domain.value.id, index);
        return connected.ok ? ok({ interface: name.value }) : refused(vm, connected.error);
      },
    }),
  };
}
