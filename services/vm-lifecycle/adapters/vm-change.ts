import { randomInt } from 'node:crypto';
import { seededRandom } from '../../../base/random.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { backOffDelay } from '../../../pool/back-off.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Stored } from '../../../pool/collection.ts';
import { commit } from '../../../pool/commit.ts';
import type { Transaction } from '../../../pool/database.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { VmId } from '../../../pool/records/identifiers.ts';
import type { VmRecord } from '../../../pool/records/vm.ts';
import type { Environment } from './environment.ts';

/**
 * How often a change is worked out anew when somebody else was faster. Each round somebody
 * succeeded, and a step competes with clients that rename the VM, so few rounds are enough.
 */
const conflictRounds = 16;

/** Between rounds: competitors of other hosts must not meet again and again. */
const conflictPause = { first: milliseconds(5), most: milliseconds(500) };

/** Does an attempt until it ends otherwise than in CONFLICT, at most `conflictRounds` times. */
export async function untilNoConflict<Value>(
  clock: Clock,
  attempt: () => Promise<Result<Value, Failure>>,
): Promise<Result<Value, Failure>> {
  const random = seededRandom(randomInt(2 ** 32));
  for (let round = 1; ; round += 1) {
    const result = await attempt();
    if (result.ok || result.error.reason !== 'CONFLICT' || round === conflictRounds) return result;
    await clock.sleep(backOffDelay(conflictPause, round, random));
  }
}

/**
 * Reads a VM's record, works out what is to be written, and writes it provided that the record did
 * not change meanwhile. `change` returns null where there is nothing to do, which is a success; so
 * is a VM that does not exist, of which `change` is told.
 */
export async function changeVm(
  { pool, clock }: Pick<Environment, 'pool' | 'clock'>,
  id: VmId,
  change: (stored: Stored<VmRecord> | null) => Result<Transaction | null, Failure>,
): Promise<Result<void, Failure>> {
  return untilNoConflict(clock, async () => {
    const stored = await pool.vms.get(id);
    if (!stored.ok) return stored;
    const transaction = change(stored.value);
    if (!transaction.ok) return transaction;
    if (transaction.value === null) return ok(undefined);
    const committed = await commit(pool.database, transaction.value);
    return committed.ok ? ok(undefined) : fail(committed.error);
  });
}
