import { once } from 'node:events';
import { connect } from 'node:net';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { connectRemote } from '../remote/client.ts';
import type { SimulatedHypervisor } from './controls.ts';

/** A simulated host answers at once, or after its configured latency: seconds at most. */
const callTimeoutDefault = milliseconds(30_000);

/**
 * The simulated host behind a socket that `runSimulatedHypervisor` serves. It need not be there
 * yet: until it is, calls fail with `hypervisor-unavailable`.
 */
export function connectSimulated(
  socketPath: string,
  callTimeout: Milliseconds = callTimeoutDefault,
): SimulatedHypervisor {
  return connectRemote({
    name: `the simulated hypervisor at ${socketPath}`,
    callTimeout,
    dial: async () => {
      const socket = connect(socketPath);
      await once(socket, 'connect');
      return socket;
    },
  });
}
