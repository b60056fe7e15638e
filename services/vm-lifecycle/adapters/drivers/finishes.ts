import { ok } from '../../../../base/result.ts';
import type { Stored } from '../../../../pool/collection.ts';
import type { Transaction } from '../../../../pool/database.ts';
import type { Finish, Finishes, Outcome } from '../../../../pool/operations/driver.ts';
import type { OperationRecord } from '../../../../pool/records/operation.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import { writing } from '../../../../pool/transaction.ts';
import type { Environment } from '../environment.ts';
import { vmVerbs } from '../verbs.ts';
import { releasing } from './vm-drivers.ts';

/** However an operation on a VM ends, the VM is free for the next one from that moment. */
export function finishes(environment: Environment): Finishes {
  const { pool } = environment;
  const finish: Finish = async (operation, outcome) => {
    const stored = await pool.vms.get(operation.resource.id);
    if (!stored.ok) return stored;
    if (stored.value?.record.operation !== operation.id) return ok(writing());
    return ok(ending(environment, stored.value, operation, outcome));
  };
  return Object.fromEntries(vmVerbs.map((verb) => [verb, finish]));
}

/**
 * What was recorded with an operation that did not succeed goes with it, also where no step ever
 * began: the draft of a VM that was to be made, the claim and the reservation of one to be started.
 */
function ending(
  environment: Environment,
  stored: Stored<VmRecord>,
  { verb }: OperationRecord,
  outcome: Outcome,
): Transaction {
  const { pool } = environment;
  const free: VmRecord = { ...stored.record, operation: null };
  if (outcome === 'succeeded') return pool.vms.replacing(stored, free);
  if (verb === 'vm.create') return pool.vms.deleting(stored);
  if (verb === 'vm.start' && free.desired === 'running' && free.host === environment.host.id)
    return releasing(environment, stored, free, '');
  return pool.vms.replacing(stored, free);
}
