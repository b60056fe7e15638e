import type { StepDriver } from '../../../../pool/operations/driver.ts';
import type { StepName } from '../../core/step.ts';
import type { Environment } from '../environment.ts';
import { domainDrivers } from './domain-drivers.ts';
import { networkDrivers } from './network-drivers.ts';
import { reconnectDrivers } from './reconnect-drivers.ts';
import { storageDrivers } from './storage-drivers.ts';
import { vmDrivers } from './vm-drivers.ts';

/** The driver of every step that the planner knows. */
export function stepDrivers(environment: Environment): { readonly [Name in StepName]: StepDriver } {
  return {
    ...vmDrivers(environment),
    ...storageDrivers(environment),
    ...networkDrivers(environment),
    ...domainDrivers(environment),
    ...reconnectDrivers(environment),
  };
}
