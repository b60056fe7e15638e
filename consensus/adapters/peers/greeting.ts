import { fail, ok, type Result } from '../../../base/result.ts';
import type { Greeting } from '../../../proto/gen/flotilla.raft.v1.ts';
import { type MemberId, memberId } from '../../core/ids.ts';

/** The version of the protocol between members that this program speaks, and the oldest. */
export const protocolVersion = 1;
export const oldestProtocolVersion = 1;

/** Who a member is. */
export interface PeerIdentity {
  /** The id of the pool; members of different pools do not talk. */
  readonly pool: string;
  readonly member: MemberId;
}

/** How a member greets another. */
export function greet(self: PeerIdentity, to: MemberId): Greeting {
  return {
    version: protocolVersion,
    oldestVersion: oldestProtocolVersion,
    pool: self.pool,
    from: self.member,
    to,
  };
}

/** Who greets, or a sentence that says why there is nothing to talk about. */
export function acceptGreeting(self: PeerIdentity, greeting: Greeting): Result<MemberId, string> {
  const { version, oldestVersion, pool, from, to } = greeting;
  if (pool !== self.pool)
    return fail(
      `member ${from} belongs to the pool ${pool}, member ${self.member} to ${self.pool}: ` +
        'check the address, or the data directory that one of them was started with',
    );
  if (to !== self.member)
    return fail(`this address is member ${self.member}, not ${to}: check the addresses`);
  if (!Number.isSafeInteger(from) || from <= 0 || from === self.member)
    return fail(`${from} cannot be the id of another member`);
  if (oldestVersion > protocolVersion || version < oldestProtocolVersion)
    return fail(
      `member ${from} speaks versions ${oldestVersion} to ${version} of the protocol, member ` +
        `${self.member} ${oldestProtocolVersion} to ${protocolVersion}: upgrade the older one first`,
    );
  return ok(memberId(from));
}
