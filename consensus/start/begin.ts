import type { ChannelCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import { askMembers, type MembersAnswer } from '../adapters/peers/ask-members.ts';
import { type Configuration, configurationOf } from '../core/configuration.ts';
import type { MemberId } from '../core/ids.ts';
import { firstMemberId, type PoolIdentity, poolIdentity } from '../identity.ts';
import type { MemberSettings } from '../settings.ts';
import { final, joinAgain, type StartFailure } from './failure.ts';
import type { Self } from './self.ts';

/**
 * Begins a pool as one of its first members. The others are asked once: a member that has run
 * before, and whose directory is empty now, must not vote as if it had never promised anything.
 */
export async function begin(
  settings: MemberSettings,
  credentials: ChannelCredentials,
): Promise<Result<Self, StartFailure>> {
  const { clusterToken, initialCluster, name } = settings;
  const pool = poolIdentity(clusterToken, initialCluster.keys());
  const member = firstMemberId(clusterToken, name);
  const others = [...initialCluster].filter(([other]) => other !== name);
  const answers = await askMembers(
    others.map(([, address]) => address),
    credentials,
  );
  for (const answer of answers) {
    const refusal = whyNot(settings, pool, member, answer);
    if (refusal !== null) return fail(final(refusal));
  }
  return ok({ pool, member, configuration: firstConfiguration(settings) });
}

function whyNot(
  { name, initialCluster }: MemberSettings,
  { pool }: PoolIdentity,
  member: MemberId,
  answer: MembersAnswer,
): string | null {
  const remedy = joinAgain(name, initialCluster.get(name) ?? '');
  if (answer.pool !== pool)
    return (
      `${answer.address} is a member of the pool ${answer.pool}, not of ${pool}, which these flags ` +
      `would begin: check --initial-cluster. To take part in that pool, ${remedy}`
    );
  const self = answer.members.find(({ id }) => id === member);
  if (self === undefined)
    return `the pool has no member ${name} any more, says ${answer.address}. To join it, ${remedy}`;
  if (!self.hasStarted) return null;
  return (
    `the pool knows entries that ${name} has confirmed, but its data directory is empty: its vote ` +
    `cannot be trusted. Remove it (flotilla pool member remove ${name}); then ${remedy}`
  );
}

/** Where the flags say that the first members listen. */
export function firstAddresses({
  clusterToken,
  initialCluster,
}: MemberSettings): ReadonlyMap<MemberId, string> {
  const addresses = [...initialCluster].map(
    ([name, address]) => [firstMemberId(clusterToken, name), address] as const,
  );
  return new Map(addresses);
}

/** Of the names and addresses that every first member is told alike. */
function firstConfiguration(settings: MemberSettings): Configuration {
  const addresses = [...firstAddresses(settings)].map(([member, address]) => ({
    member,
    peers: [address],
  }));
  return { ...configurationOf(addresses.map(({ member }) => member)), addresses };
}
