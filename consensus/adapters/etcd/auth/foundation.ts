import { milliseconds } from '../../../../base/units.ts';
import type { Foundation } from '../../../kv/auth/change.ts';
import type { Clock } from '../../../ports.ts';
import type { EtcdMember } from '../member.ts';

/** How often a member tries to set up the rights of a new pool, until somebody has. */
const retryInterval = milliseconds(100);

/**
 * Sets up the rights of a pool in which nobody has ever changed any, and has them enforced. Every
 * member tries: it is one command, which does nothing where another came first. Returns what stops
 * trying.
 */
export function foundRights(
  member: EtcdMember,
  clock: Clock,
  { roles, users }: Foundation,
): () => void {
  let underWay = false;
  const attempt = async () => {
    if (underWay || member.replica.status().leader === null) return;
    underWay = true;
    const current = await member.readBarrier();
    const { auth } = member.store;
    if (current.ok && auth.isUntouched)
      await member.propose<'auth'>({ kind: 'auth', change: { kind: 'found', roles, users } });
    underWay = false;
    if (!member.store.auth.isUntouched) stop();
  };
  const stop = clock.every(retryInterval, () => void attempt());
  void attempt();
  return stop;
}
