import { isVoter, majority, membersOf } from './configuration.ts';
import type { ProposalId } from './entry.ts';
import type { MemberId } from './ids.ts';
import { appendPayloads } from './leader.ts';
import {
  changedBy,
  learnersMax,
  type MembershipChange,
  type MembershipRefusal,
  votersMax,
} from './membership.ts';
import type { Message } from './message.ts';
import { send } from './persistence.ts';
import { isCaughtUp, isHeard, type Leadership, type Raft } from './raft.ts';

/** A change was asked for here: for the log if this member leads, otherwise for its leader. */
export function onChangeInput(raft: Raft, number: number, change: MembershipChange): void {
  const { leadership, leader } = raft;
  if (leadership !== null) {
    const reason = take(raft, leadership, { member: raft.id, number }, change);
    if (reason !== null) raft.effects.refusedChanges.push({ number, reason });
  } else if (leader === null) raft.effects.refusedChanges.push({ number, reason: 'no-leader' });
  else send(raft, leader, { kind: 'change', number, change });
}

/** A follower hands a change over, in this term; a message that comes again adds nothing. */
export function onChange(raft: Raft, message: Message & { kind: 'change' }): void {
  const { leadership } = raft;
  if (leadership === null) return;
  const { from, number, change } = message;
  const reason = take(raft, leadership, { member: from, number }, change);
  if (reason !== null) send(raft, from, { kind: 'change-refused', number, reason });
}

/** The leader did not take it: for the driver, which tells whoever asked. */
export function onChangeRefused(raft: Raft, message: Message & { kind: 'change-refused' }): void {
  const { number, reason } = message;
  raft.effects.refusedChanges.push({ number, reason });
}

function take(
  raft: Raft,
  leadership: Leadership,
  proposal: ProposalId,
  change: MembershipChange,
): MembershipRefusal | null {
  if (proposal.number <= (leadership.accepted.get(proposal.member) ?? 0)) return null;
  leadership.accepted.set(proposal.member, proposal.number);
  const refusal = refusalOf(raft, leadership, change);
  if (refusal === null) enter(raft, change, proposal);
  return refusal;
}

function enter(raft: Raft, change: MembershipChange, proposal: ProposalId | null): void {
  const configuration = changedBy(raft.log.configuration, change);
  appendPayloads(raft, [{ kind: 'configuration', configuration, proposal }]);
}

/** Why the leader does not take this change now; null if it does. */
function refusalOf(
  raft: Raft,
  leadership: Leadership,
  change: MembershipChange,
): MembershipRefusal | null {
  // Before that, a configuration that another leader has not committed could still come back, and
  // two that differ by more than one member would be in force: majorities without a common voter.
  if (!raft.log.matches(raft.commit, raft.term)) return 'not-ready';
  if (leadership.transfer !== null) return 'not-ready';
  if (raft.log.configurationIndex > raft.commit) return 'change-under-way';
  switch (change.kind) {
    case 'add':
      return refusalToAdd(raft, change);
    case 'promote':
      return refusalToPromote(raft, change.member);
    case 'remove':
      return refusalToRemove(raft, change.member);
    case 'update':
      if (!membersOf(raft.log.configuration).includes(change.member)) return 'member-not-found';
      return isTaken(raft, change) ? 'address-taken' : null;
  }
}

function refusalToAdd(
  raft: Raft,
  change: MembershipChange & { kind: 'add' },
): MembershipRefusal | null {
  const { configuration } = raft.log;
  if (membersOf(configuration).includes(change.member)) return 'member-exists';
  if (isTaken(raft, change)) return 'address-taken';
  const seats = configuration.voters.length + configuration.joining.length;
  const full =
    configuration.learners.length >= learnersMax || (!change.staysLearner && seats >= votersMax);
  return full ? 'too-many-members' : null;
}

function refusalToPromote(raft: Raft, member: MemberId): MembershipRefusal | null {
  const { configuration } = raft.log;
  if (isVoter(configuration, member)) return 'not-a-learner';
  if (!configuration.learners.includes(member)) return 'member-not-found';
  if (!isCaughtUp(raft, member)) return 'not-caught-up';
  // Those who join have their seats already.
  const joining = configuration.joining.filter((other) => other !== member);
  const seats = configuration.voters.length + joining.length;
  return seats >= votersMax ? 'too-many-members' : null;
}

function refusalToRemove(raft: Raft, member: MemberId): MembershipRefusal | null {
  const { configuration } = raft.log;
  if (configuration.learners.includes(member)) return null;
  if (!isVoter(configuration, member)) return 'member-not-found';
  const rest = changedBy(configuration, { kind: 'remove', member });
  return majority(rest, (voter) => isHeard(raft, voter)) ? null : 'majority-needed';
}

function isTaken(
  raft: Raft,
  { member, peers }: MembershipChange & { kind: 'add' | 'update' },
): boolean {
  const others = raft.log.configuration.addresses.filter((each) => each.member !== member);
  return others.some((other) => other.peers.some((peer) => peers.includes(peer)));
}

/**
 * At the end of a step: the leader makes a voter of a member that joins and has caught up, when it
 * would take that change from anybody.
 */
export function promoteJoining(raft: Raft): void {
  const { leadership, log } = raft;
  if (leadership === null || log.configuration.joining.length === 0) return;
  for (const member of log.configuration.joining) {
    const change: MembershipChange = { kind: 'promote', member };
    if (refusalOf(raft, leadership, change) !== null) continue;
    enter(raft, change, null);
    return;
  }
}
