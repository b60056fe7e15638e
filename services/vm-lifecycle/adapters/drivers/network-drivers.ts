import { fail, ok } from '../../../../base/result.ts';
import { requireDomain } from '../domains.ts';
import type { Environment } from '../environment.ts';
import { hypervisorFailure } from '../failures.ts';
import { stepDriver } from './step-driver.ts';
import { stepSchemas } from './step-schemas.ts';

/** The steps that the host's network service does, and what the hypervisor does for them. */
export function networkDrivers(environment: Environment) {
  const { host, hypervisor, network } = environment;
  return {
    'network.prepare': stepDriver(stepSchemas['network.prepare'], {
      do: async (input) => {
        const prepared = await network.prepare(input.network);
        return prepared.ok ? ok({ ...prepared.value }) : prepared;
      },
    }),

    'vif.plug': stepDriver(stepSchemas['vif.plug'], {
      do: async ({ vm, epoch, index, network: id, mac }) => {
        const domain = await requireDomain(environment, vm);
        if (!domain.ok) return domain;
        const interfaceName = await hypervisor.nicInterface(domain.value.id, index);
        if (!interfaceName.ok) return fail(hypervisorFailure(host.name, interfaceName.error));
        const nic = { vm, epoch, index, network: id, mac, interfaceName: interfaceName.value };
        const plugged = await network.plug(nic);
        return plugged.ok ? ok({ interface: interfaceName.value }) : plugged;
      },
      undo: ({ vm, epoch, index }) => network.unplug({ vm, epoch, index }),
    }),

    'vif.unplug': stepDriver(stepSchemas['vif.unplug'], {
      do: async ({ vm, epoch, index }) => {
        const unplugged = await network.unplug({ vm, epoch, index });
        return unplugged.ok ? ok({}) : unplugged;
      },
    }),

    'nic.connect': stepDriver(stepSchemas['nic.connect'], {
      do: async ({ vm, index }) => {
        const domain = await requireDomain(environment, vm);
        if (!domain.ok) return domain;
        const connected = await hypervisor.connectNic(domain.value.id, index);
        return connected.ok ? ok({}) : fail(hypervisorFailure(host.name, connected.error));
      },
    }),
  };
}
