import { ok } from '../../base/result.ts';
import { controlDomain, type DomainId } from '../../hypervisor/port.ts';
import type { HostNetwork, PluggedNic } from '../../services/vm-lifecycle/adapters/host-network.ts';

/** A host's network service as the VM lifecycle sees it, without bridges. It outlives a kill. */
export interface PretendNetwork extends HostNetwork {
  /** By `<vm id>/<index>`. */
  readonly vifs: Map<string, PluggedNic & { readonly interfaceName: string }>;
  /** From now on the service runs in this domain. */
  runIn(domain: DomainId): void;
  /** What was plugged is not any more, as after a restart of the domain that the service runs in. */
  restart(): void;
}

/** Makes one with nothing plugged. */
export function pretendNetwork(): PretendNetwork {
  const vifs: PretendNetwork['vifs'] = new Map();
  let backend = controlDomain;
  return {
    vifs,
    runIn: (domain) => {
      backend = domain;
    },
    restart: () => vifs.clear(),
    prepare: async () => ok({ bridge: 'br0', backend }),
    plug: async ({ vm, epoch, index, interfaceName }) => {
      vifs.set(`${vm}/${index}`, { vm, epoch, index, interfaceName });
      return ok(undefined);
    },
    unplug: async ({ vm, epoch, index }) => {
      const known = vifs.get(`${vm}/${index}`);
      if (known !== undefined && known.epoch <= epoch) vifs.delete(`${vm}/${index}`);
      return ok(undefined);
    },
    plugged: async () => ok([...vifs.values()]),
  };
}
