import { fail, ok, type Result } from '../../../base/result.ts';
import type { Stored } from '../../../pool/collection.ts';
import { commit } from '../../../pool/commit.ts';
import type { Transaction } from '../../../pool/database.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { VmId } from '../../../pool/records/identifiers.ts';
import type { VmRecord } from '../../../pool/records/vm.ts';

/**
 * How often a change is worked out anew when somebody else was faster. Each round somebody
 * succeeded, and a step competes with clients that rename the VM, so few rounds are enough.
 */
export const conflictRounds = 16;

/** Does an attempt until it ends otherwise than in CONFLICT, at most `conflictRounds` times. */
export async function untilNoConflict<Value>(
  attempt: () => Promise<Result<Value, Failure>>,
): Promise<Result<Value, Failure>> {
  for (let round = 1; ; round += 1) {
    const result = await attempt();
    if (result.ok || result.error.reason !== 'CONFLICT' || round === conflictRounds) return result;
  }
}

/**
 * Reads a VM's record, works out what is to be written, and writes it provided that the record did
 * not change meanwhile. `change` returns null where there is nothing to do, which is a success; so
 * is a VM that does not exist, of which `change` is told.
 */
export async function changeVm(
  pool: Pool,
  id: VmId,
  change: (stored: Stored<VmRecord> | null) => Result<Transaction | null, Failure>,
): Promise<Result<void, Failure>> {
  return untilNoConflict(async () => {
    const stored = await pool.vms.get(id);
    if (!stored.ok) return stored;
    const transaction = change(stored.value);
    if (!transaction.ok) return transaction;
    if (transaction.value === null) return ok(undefined);
    const committed = await commit(pool.database, transaction.value);
    return committed.ok ? ok(undefined) : fail(committed.error);
  });
}
