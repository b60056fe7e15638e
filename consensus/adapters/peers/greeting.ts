import { fail, ok, type Result } from '../../../base/result.ts';
import type { Greeting } from '../../../proto/gen/flotilla.raft.v1.ts';
import { type LogIndex, logIndex, type MemberId, memberId } from '../../core/ids.ts';
import type { ProtocolVersions } from '../../versions.ts';

/** Who a member is. */
export interface PeerIdentity {
  /** The id of the pool; members of different pools do not talk. */
  readonly pool: string;
  readonly member: MemberId;
  /** Which versions of the protocol it speaks (consensus/versions.ts). */
  readonly versions: ProtocolVersions;
  /** HOST:PORT where it listens, unless the configuration says otherwise. */
  readonly address: string;
}

/** What a member's configuration says of itself. */
export interface OwnPlace {
  /** Where it listens; null if that is not told. */
  readonly ownAddress: string | null;
  /** Where the configuration stands in the log. */
  readonly index: LogIndex;
}

/** How a member greets another, with what its configuration says of itself and where it stands. */
export function greet(
  self: PeerIdentity,
  to: MemberId,
  { ownAddress, index: configurationIndex }: OwnPlace,
): Greeting {
  const { pool, member: from, versions } = self;
  const address = ownAddress ?? self.address;
  const { newest: version, oldest: oldestVersion } = versions;
  return { version, oldestVersion, pool, from, to, address, configurationIndex };
}

/** A greeting that was accepted. */
export interface Greeted {
  readonly member: MemberId;
  readonly version: number;
  /** Where it listens; null if it does not say. */
  readonly address: string | null;
  readonly configurationIndex: LogIndex;
}

/** Longest address that is believed. */
const addressLengthMax = 300;

/** Who greets, or a sentence that says why there is nothing to talk about. */
export function acceptGreeting(self: PeerIdentity, greeting: Greeting): Result<Greeted, string> {
  const { version, oldestVersion, pool, from, to, address, configurationIndex } = greeting;
  if (pool !== self.pool)
    return fail(
      `member ${from} belongs to the pool ${pool}, member ${self.member} to ${self.pool}: check ` +
        'the address, or the data directory that one of them was started with; a member of a pool ' +
        'that was recovered or restored without it joins again with an empty directory',
    );
  if (to !== self.member)
    return fail(`this address is member ${self.member}, not ${to}: check the addresses`);
  if (!Number.isSafeInteger(from) || from <= 0 || from === self.member)
    return fail(`${from} cannot be the id of another member`);
  const own = self.versions;
  if (oldestVersion > own.newest || version < own.oldest)
    return fail(
      `member ${from} speaks versions ${oldestVersion} to ${version} of the protocol, member ` +
        `${self.member} ${own.oldest} to ${own.newest}: upgrade the older one first`,
    );
  if (address.length > addressLengthMax || !Number.isSafeInteger(configurationIndex))
    return fail(`the greeting of member ${from} cannot be read`);
  return ok({
    member: memberId(from),
    version,
    address: address === '' ? null : address,
    configurationIndex: logIndex(configurationIndex),
  });
}
