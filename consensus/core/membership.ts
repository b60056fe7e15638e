import type { MemberId } from './ids.ts';

/** What can be asked of the membership. One change is under way at a time (Ongaro 4.1). */
export type MembershipChange =
  /**
   * A new member, as a learner. Unless it is to stay one, it becomes a voter by itself once it
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
