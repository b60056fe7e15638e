import { ok } from '../../../../base/result.ts';
import type { Finish, Finishes, StepDriver } from '../../../../pool/operations/driver.ts';
import { writing } from '../../../../pool/transaction.ts';
import type { StepName } from '../../core/step.ts';
import type { Environment } from '../environment.ts';
import { vmVerbs } from '../verbs.ts';
import { domainDrivers } from './domain-drivers.ts';
import { networkDrivers } from './network-drivers.ts';
import { storageDrivers } from './storage-drivers.ts';
import { vmDrivers } from './vm-drivers.ts';

/** The driver of every step that the planner knows. */
export function stepDrivers(environment: Environment): { readonly [Name in StepName]: StepDriver } {
  return {
    ...vmDrivers(environment),
    ...storageDrivers(environment),
    ...networkDrivers(environment),
    ...domainDrivers(environment),
  };
}

/** However an operation on a VM ends, the VM is free for the next one from that moment. */
export function finishes({ pool }: Environment): Finishes {
  const finish: Finish = async (operation) => {
    const stored = await pool.vms.get(operation.resource.id);
    if (!stored.ok) return stored;
    if (stored.value?.record.operation !== operation.id) return ok(writing());
    return ok(pool.vms.replacing(stored.value, { ...stored.value.record, operation: null }));
  };
  return Object.fromEntries(vmVerbs.map((verb) => [verb, finish]));
}
