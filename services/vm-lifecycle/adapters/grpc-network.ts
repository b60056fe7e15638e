import { fail, ok } from '../../../base/result.ts';
import type { DomainId } from '../../../hypervisor/port.ts';
import type { Epoch, VmId } from '../../../pool/records/identifiers.ts';
import { serviceCallDeadline as timeout } from '../../../pool/rpc/deadline.ts';
import { failureOf } from '../../../pool/rpc/status.ts';
import type { Connection } from '../../../proto/client.ts';
import { VifService } from '../../../proto/gen/flotilla.network.v1.ts';
import type { HostNetwork } from './host-network.ts';

/** The host's network service behind its API. */
export function grpcNetwork(connection: Connection): HostNetwork {
  const vifs = connection.client(VifService);
  return {
    prepare: async (network) => {
      const answer = await vifs.prepareNetwork({ network }, { timeout });
      if (!answer.ok) return fail(failureOf(answer.error));
      return ok({ bridge: answer.value.bridge, backend: answer.value.backend as DomainId });
    },
    plug: async ({ interfaceName, ...nic }) => {
      const answer = await vifs.plug({ ...nic, interface: interfaceName }, { timeout });
      return answer.ok ? ok(undefined) : fail(failureOf(answer.error));
    },
    unplug: async (nic) => {
      const answer = await vifs.unplug(nic, { timeout });
      return answer.ok ? ok(undefined) : fail(failureOf(answer.error));
    },
    plugged: async () => {
      const answer = await vifs.listVifs({}, { timeout });
      if (!answer.ok) return fail(failureOf(answer.error));
      return ok(
        answer.value.vifs.map(({ vm, epoch, index }) => ({
          vm: vm as VmId,
          epoch: epoch as Epoch,
          index,
        })),
      );
    },
  };
}
