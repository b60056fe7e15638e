import type { Result } from '../../../base/result.ts';
import type { DomainId } from '../../../hypervisor/port.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Epoch, NetworkId, VmId } from '../../../pool/records/identifiers.ts';

/** An interface of a VM on this host, by the claim that it was plugged for. */
export interface PluggedNic {
  readonly vm: VmId;
  readonly epoch: Epoch;
  readonly index: number;
}

/** A network's bridge, and the domain that has it: the one in which the network service runs. */
export interface PreparedBridge {
  readonly bridge: string;
  readonly backend: DomainId;
}

/** The port to the network service of the same host. `grpc-network.ts` implements it. */
export interface HostNetwork {
  /** Sees that the network's bridge is up here. */
  prepare(network: NetworkId): Promise<Result<PreparedBridge, Failure>>;
  /** Joins a backend's interface (`vif3.0`) to the network's bridge, once it is there; idempotent. */
  plug(
    nic: PluggedNic & {
      readonly network: NetworkId;
      readonly mac: string;
      readonly interfaceName: string;
    },
  ): Promise<Result<void, Failure>>;
  /** Undoes `plug`; what is not plugged under this claim is a success. */
  unplug(nic: PluggedNic): Promise<Result<void, Failure>>;
  /** What is plugged on this host now. */
  plugged(): Promise<Result<readonly PluggedNic[], Failure>>;
}
