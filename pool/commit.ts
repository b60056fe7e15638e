import { fail, ok, type Result } from '../base/result.ts';
import type { PoolDatabase, Revision, Transaction } from './database.ts';
import type { Failure } from './failure.ts';
import { parseNameKey } from './keys.ts';
import { together } from './transaction.ts';

/**
 * Does several transactions as one. Where a comparison does not hold the failure says which:
 * NAME_TAKEN if a name that was to be taken is, and CONFLICT otherwise.
 */
export async function commit(
  database: PoolDatabase,
  ...parts: readonly Transaction[]
): Promise<Result<Revision, Failure>> {
  const transaction = together(...parts);
  const outcome = await database.transact(transaction);
  if (!outcome.ok) return outcome;
  if (outcome.value.committed) return ok(outcome.value.revision);
  for (const comparison of transaction.comparisons) {
    const name = comparison.kind === 'absent' ? parseNameKey(comparison.key) : null;
    if (name === null) continue;
    const taken = await database.get(comparison.key);
    if (!taken.ok) return taken;
    if (taken.value !== null) return fail(nameTaken(name.kind, name.name));
  }
  return fail(conflict);
}

/** Another resource of the kind has this name. */
export function nameTaken(noun: string, name: string): Failure {
  return {
    reason: 'NAME_TAKEN',
    message: `there is a ${noun} named "${name}" already`,
    remedy: `Choose another name, or rename or delete the other ${noun}.`,
    resource: { type: noun, name },
    field: 'name',
  };
}

const conflict: Failure = {
  reason: 'CONFLICT',
  message: 'what this request is about changed while it was worked on',
  remedy: 'Try again.',
};
