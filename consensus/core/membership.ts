import type { Configuration, MemberAddress } from './configuration.ts';
import type { MemberId } from './ids.ts';

/** More voters would make every write wait for more disks, and bear no failure that matters. */
export const votersMax = 7;

/** Learners cost the leader's network as much as voters do; as many as there can be voters. */
export const learnersMax = 7;

/** What can be asked of the membership. One change is under way at a time (Ongaro 4.1). */
export type MembershipChange =
  /**
   * `peers` are its addresses, at least one, and `member` an id that no member ever had. A new member, as a learner. Unless it is to stay one, it becomes a voter by itself once it
   * has caught up: so a member that never comes costs the pool nothing.
   */
  | {
      readonly kind: 'add';
      readonly member: MemberId;
      readonly peers: readonly string[];
      readonly staysLearner: boolean;
    }
  /** A learner becomes a voter now, if it has caught up. */
  | { readonly kind: 'promote'; readonly member: MemberId }
  /** Voter or learner, the leader itself too: it steps down once that is committed (4.2.2). */
  | { readonly kind: 'remove'; readonly member: MemberId }
  /** A member listens elsewhere. */
  | { readonly kind: 'update'; readonly member: MemberId; readonly peers: readonly string[] };

/** Why a change was not taken; it had no effect. */
export type MembershipRefusal =
  /** The leader is handing over its office, or has not committed anything of its term yet (4.1). */
  | 'not-ready'
  /** The change before this one is not committed yet. */
  | 'change-under-way'
  /** There is a member of this id already. */
  | 'member-exists'
  /** Another member has one of these addresses. */
  | 'address-taken'
  | 'member-not-found'
  /** What is to be promoted is a voter. */
  | 'not-a-learner'
  /** What is to be promoted lacks too much of the log, or has not been heard of lately. */
  | 'not-caught-up'
  | 'too-many-members'
  /** Without this voter the rest that is heard of would be no majority, or there would be nobody. */
  | 'majority-needed';

/** The configuration that a change makes of another one. Whether it may is the leader's to say. */
export function changedBy(before: Configuration, change: MembershipChange): Configuration {
  const { member } = change;
  const without = (ids: readonly MemberId[]): readonly MemberId[] =>
    ids.filter((id) => id !== member);
  const { voters, learners, joining, addresses } = before;
  switch (change.kind) {
    case 'add':
      return {
        voters,
        learners: [...learners, member],
        joining: change.staysLearner ? joining : [...joining, member],
        addresses: withAddress(addresses, { member, peers: change.peers }),
      };
    case 'promote':
      return {
        voters: [...voters, member],
        learners: without(learners),
        joining: without(joining),
        addresses,
      };
    case 'remove':
      return {
        voters: without(voters),
        learners: without(learners),
        joining: without(joining),
        addresses: addresses.filter((each) => each.member !== member),
      };
    case 'update':
      return { ...before, addresses: withAddress(addresses, { member, peers: change.peers }) };
  }
}

function withAddress(
  addresses: readonly MemberAddress[],
  address: MemberAddress,
): readonly MemberAddress[] {
  const known = addresses.some(({ member }) => member === address.member);
  if (!known) return [...addresses, address];
  return addresses.map((each) => (each.member === address.member ? address : each));
}
