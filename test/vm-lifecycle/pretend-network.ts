import { ok } from '../../base/result.ts';
import { controlDomain } from '../../hypervisor/port.ts';
import type { HostNetwork, PluggedNic } from '../../services/vm-lifecycle/adapters/host-network.ts';

/** A host's network service as the VM lifecycle sees it, without bridges. It outlives a kill. */
export interface PretendNetwork extends HostNetwork {
  /** By `<vm id>/<index>`. */
  readonly vifs: Map<string, PluggedNic & { readonly interfaceName: string }>;
}

/** Makes one with nothing plugged. */
export function pretendNetwork(): PretendNetwork {
  const vifs: PretendNetwork['vifs'] = new Map();
  return {
    vifs,
    prepare: async () => ok({ bridge: 'br0', backend: controlDomain }),
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
