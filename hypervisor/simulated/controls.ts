import type { Result } from '../../base/result.ts';
import type { DiskConfig, DomainId, Hypervisor, HypervisorError } from '../port.ts';
import type { Fault } from './core/faults.ts';

/** What a simulated domain's backends were told. */
export interface ConnectedDevices {
  readonly disks: readonly DiskConfig[];
  readonly nics: readonly number[];
}

/** What a test can do to a simulated hypervisor, beside the port. */
export interface SimulatedControls {
  /** Lets something go wrong, now or when its moment comes. */
  inject(fault: Fault): Promise<Result<void, HypervisorError>>;
  /** The devices of a domain that were connected. */
  connectedDevices(id: DomainId): Promise<Result<ConnectedDevices, HypervisorError>>;
}

/** The simulated hypervisor: the port, and what tests need. */
export type SimulatedHypervisor = Hypervisor & SimulatedControls;
