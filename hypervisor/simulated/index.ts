/** The simulated hypervisor, for those outside this folder. */
export { connectSimulated } from './client.ts';
export type { SimulatedHypervisor } from './controls.ts';
export { runSimulatedHypervisor } from './daemon.ts';
export { noFileCheck } from './files.ts';
export { createSimulated } from './in-process.ts';
export { type SimulatedGuest, SimulatedRings } from './xenstore-host.ts';
