import { fail, ok, type Result } from '../../base/result.ts';
import { operatorIdentity } from '../access.ts';
import type { Failure } from '../failure.ts';

/** Only who runs the pool says what it is to believe. Plain text has no identities. */
export function operatorOnly(identity: string | null): Result<void, Failure> {
  if (identity === null || identity === operatorIdentity) return ok(undefined);
  return fail({
    reason: 'FORBIDDEN',
    message: `${identity} may not say which images the pool is to trust`,
    remedy: 'Show the identity of the operator: see docs/access.md.',
  });
}
