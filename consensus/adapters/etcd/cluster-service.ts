import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, ok } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import type { Input } from '../../../proto/codec.ts';
import type { Cluster, Member } from '../../../proto/gen/etcdserverpb.ts';
import type { Handlers } from '../../../proto/server.ts';
import { type Configuration, membersOf } from '../../core/configuration.ts';
import { type MemberId, memberId } from '../../core/ids.ts';
import type { MembershipChange } from '../../core/membership.ts';
import { type ByteString, bufferOf } from '../../kv/byte-string.ts';
import { membershipVersion } from '../../versions.ts';
import type { Served } from './failures.ts';
import { unary } from './lean-service.ts';
import type { EtcdMember } from './member.ts';
import { membershipFailure, membershipFailures } from './membership-failures.ts';
import { parsePeerUrls } from './peer-urls.ts';

/** A change waits so long, in all, for the one before it, or for a leader to be ready. */
const attempts = 20;
const retryInterval = milliseconds(150);

/**
 * etcd's Cluster service: who is a member is Raft's to say, the addresses for clients are what each
 * member put into the store. A member that is added as a voter is shown as a learner until it has
 * caught up: then it becomes a voter by itself.
 */
export function clusterService(member: EtcdMember): Handlers<Cluster> {
  return {
    memberAdd: unary(async ({ peerURLs, isLearner }) => {
      const peers = parsePeerUrls(peerURLs, member.peerScheme);
      if (peers === null) return fail(membershipFailures.badUrls);
      const id = randomMemberId();
      const change = { kind: 'add', member: id, peers, staysLearner: isLearner } as const;
      const changed = await changeMembership(member, change);
      if (!changed.ok) return changed;
      const members = memberList(member, changed.value);
      const added = members.find(({ ID }) => ID === BigInt(id)) ?? {};
      return ok({ header: member.headerNow(), member: added, members });
    }),
    memberRemove: unary(({ ID }) => changeOf(member, ID, (id) => ({ kind: 'remove', member: id }))),
    memberPromote: unary(({ ID }) =>
      changeOf(member, ID, (id) => ({ kind: 'promote', member: id })),
    ),
    memberUpdate: unary(async ({ ID, peerURLs }) => {
      const peers = parsePeerUrls(peerURLs, member.peerScheme);
      if (peers === null) return fail(membershipFailures.badUrls);
      return await changeOf(member, ID, (id) => ({ kind: 'update', member: id, peers }));
    }),
    // The version of etcd's API that is served has no other than linearizable lists.
    memberList: unary(async () => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      const { committedConfiguration } = member.replica.status();
      return ok({
        header: member.headerNow(),
        members: memberList(member, committedConfiguration),
      });
    }),
  };
}

/** 48 random bits: an exact number that no member ever had. */
function randomMemberId(): MemberId {
  return memberId(randomBytes(6).readUIntBE(0, 6) || 1);
}

async function changeOf(
  member: EtcdMember,
  id: bigint,
  changeTo: (member: MemberId) => MembershipChange,
) {
  if (id <= 0 || id > Number.MAX_SAFE_INTEGER) return fail(membershipFailures.notFound);
  const changed = await changeMembership(member, changeTo(memberId(Number(id))));
  if (!changed.ok) return changed;
  return ok({ header: member.headerNow(), members: memberList(member, changed.value) });
}

/** What only has to wait for its turn is tried again, for a while. */
async function changeMembership(
  member: EtcdMember,
  change: MembershipChange,
): Promise<Served<Configuration>> {
  const capable = member.checkCapable(membershipVersion);
  if (!capable.ok) return capable;
  for (let attempt = 1; ; attempt += 1) {
    const changed = await member.replica.changeMembership(change);
    if (changed.ok) return changed;
    const { code } = changed.error;
    const mayPass = code === 'not-ready' || code === 'change-under-way';
    if (!mayPass || attempt === attempts) return membershipFailure(changed.error);
    await delay(retryInterval);
  }
}

function memberList(member: EtcdMember, configuration: Configuration): Input<Member>[] {
  return membersOf(configuration).map((id) => {
    const address = configuration.addresses.find((each) => each.member === id);
    const described = member.store.member(id);
    return {
      ID: BigInt(id),
      // etcd shows no name before a member has started and told it.
      name: described === undefined ? '' : text(described.name),
      peerURLs: address?.peers.map((peer) => `${member.peerScheme}://${peer}`) ?? [],
      clientURLs: described?.clientUrls.map(text) ?? [],
      isLearner: configuration.learners.includes(id),
    };
  });
}

function text(bytes: ByteString): string {
  return bufferOf(bytes).toString('utf8');
}
