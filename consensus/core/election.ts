import { isVoter, majority } from './configuration.ts';
import { type MemberId, type Term, term } from './ids.ts';
import { becomeLeader } from './leader.ts';
import type { Message } from './message.ts';
import { send } from './persistence.ts';
import { newFollowing, type Raft } from './raft.ts';
import { abandonReads } from './reads.ts';

/**
 * Goes back to following: in a new term with an open vote, or in this one. `leader` is null while
 * it is not known who leads.
 */
export function becomeFollower(raft: Raft, newTerm: Term, leader: MemberId | null): void {
  if (newTerm > raft.term) {
    raft.term = newTerm;
    raft.vote = null;
  }
  abandonReads(raft);
  raft.role = 'follower';
  raft.leader = leader;
  raft.leadership = null;
  raft.following = newFollowing();
  raft.votes.clear();
  restartElectionTimer(raft);
}

/** Time begins anew; the next tick draws how long to wait. */
export function restartElectionTimer(raft: Raft): void {
  raft.electionElapsed = 0;
  raft.electionTimeout = null;
}

/** Time passes for a member that does not lead. */
export function tickElection(raft: Raft, elapsed: number, jitter: number): void {
  const { electionTimeoutMin, electionTimeoutMax } = raft.limits;
  raft.electionElapsed += elapsed;
  raft.electionTimeout ??=
    electionTimeoutMin + Math.floor(jitter * (electionTimeoutMax - electionTimeoutMin));
  if (!mayStand(raft)) {
    if (raft.electionElapsed >= raft.electionTimeout) forgetLeader(raft);
    return;
  }
  // A vote that is still being written: a new election would not get there sooner.
  if (raft.role === 'candidate' && raft.durable.term !== raft.term) return;
  // Nobody else could lead a pool of one: there is nothing to wait for, but for a leader that
  // has been removed and is about to hand over.
  const { voters } = raft.log.configuration;
  const alone =
    voters.length === 1 &&
    voters[0] === raft.id &&
    raft.role === 'follower' &&
    raft.leader === null;
  if (alone || raft.electionElapsed >= raft.electionTimeout) askForVotes(raft);
}

/** Whoever may not stand only stops to count on a leader that is silent: it refuses at once again. */
function forgetLeader(raft: Raft): void {
  raft.leader = null;
  restartElectionTimer(raft);
}

/**
 * Whether this member may be needed as a leader: it votes, or it did before a removal that is not
 * committed as far as it knows. Without its log the others may be unable to elect anybody (4.2.2).
 */
function mayStand({ log, commit, id }: Raft): boolean {
  return isVoter(log.configuration, id) || isVoter(log.configurationAt(commit), id);
}

/** Asks whether an election could be won, without starting it (9.6). */
function askForVotes(raft: Raft): void {
  raft.role = 'pre-candidate';
  raft.leader = null;
  raft.votes.clear();
  restartElectionTimer(raft);
  for (const voter of otherVoters(raft))
    send(raft, voter, {
      kind: 'pre-vote',
      lastIndex: raft.log.lastIndex,
      lastTerm: raft.log.lastTerm,
    });
  recordVote(raft, raft.id, true);
}

/** Starts an election (3.4). Its own vote counts once it is durable, by `countOwnVote`. */
export function campaign(raft: Raft, force: boolean): void {
  becomeFollower(raft, term(raft.term + 1), null);
  raft.role = 'candidate';
  raft.vote = raft.id;
  for (const voter of otherVoters(raft))
    send(raft, voter, {
      kind: 'vote',
      lastIndex: raft.log.lastIndex,
      lastTerm: raft.log.lastTerm,
      force,
    });
}

function otherVoters(raft: Raft): readonly MemberId[] {
  return raft.log.configuration.voters.filter((voter) => voter !== raft.id);
}

/** A candidate's vote for itself counts like any other: when it is durable. */
export function countOwnVote(raft: Raft): void {
  const { durable, id } = raft;
  if (raft.role !== 'candidate' || raft.votes.has(id)) return;
  if (durable.term === raft.term && durable.vote === id) recordVote(raft, id, true);
}

function recordVote(raft: Raft, voter: MemberId, granted: boolean): void {
  if (!raft.votes.has(voter)) raft.votes.set(voter, granted);
  if (!majority(raft.log.configuration, (member) => raft.votes.get(member) === true)) return;
  if (raft.role === 'pre-candidate') campaign(raft, false);
  else if (raft.role === 'candidate') becomeLeader(raft);
}

/**
 * Whether this member is satisfied with its leader: it leads itself, or has heard from the leader
 * so lately that nobody can have missed it for a whole election time-out (4.2.3).
 */
function isSticky(raft: Raft): boolean {
  if (raft.role === 'leader') return true;
  return raft.leader !== null && raft.electionElapsed < satisfiedFor(raft);
}

/**
 * The connection to a member broke. If it was the leader's, a follower does not wait as if nothing
 * had happened: it counts as much silence as ends its satisfaction, and draws a time-out.
 */
export function missLeader(raft: Raft, member: MemberId): void {
  if (raft.role !== 'follower' || raft.leader !== member) return;
  raft.electionElapsed = Math.max(raft.electionElapsed, satisfiedFor(raft));
  raft.electionTimeout = null;
}

/** How long after it has heard its leader a member wants no other. */
function satisfiedFor({ limits }: Raft): number {
  return limits.electionTimeoutMin - limits.heartbeatInterval;
}

/** Whether a vote request may not even raise this member's term. */
export function ignoresVote(raft: Raft, message: Message & { kind: 'vote' }): boolean {
  return !message.force && isSticky(raft);
}

/** Answers a question before an election; changes nothing here. */
export function onPreVote(raft: Raft, message: Message & { kind: 'pre-vote' }): void {
  const granted =
    message.term >= raft.term &&
    !isSticky(raft) &&
    raft.log.isUpToDate(message.lastIndex, message.lastTerm);
  send(raft, message.from, { kind: 'pre-vote-reply', asked: term(message.term + 1), granted });
  if (granted && raft.role === 'pre-candidate' && givesWayTo(raft, message)) {
    raft.role = 'follower';
    restartElectionTimer(raft);
  }
}

/**
 * Whether of two that ask at the same time this member lets the other one go first: if its log has
 * less, or as much and its id is lower. Without that both would stand, and split the votes.
 */
function givesWayTo(
  { id, log }: Raft,
  { from, lastIndex, lastTerm }: Message & { kind: 'pre-vote' },
): boolean {
  const hasSame = lastIndex === log.lastIndex && lastTerm === log.lastTerm;
  return !hasSame || from > id;
}

/** Counts an answer to the question of this term. */
export function onPreVoteReply(raft: Raft, message: Message & { kind: 'pre-vote-reply' }): void {
  if (raft.role !== 'pre-candidate' || message.asked !== raft.term + 1) return;
  recordVote(raft, message.from, message.granted);
}

/** Votes, once a term, for whoever's log has all that is here (3.6.1). */
export function onVote(raft: Raft, message: Message & { kind: 'vote' }): void {
  const free = raft.vote === message.from || (raft.vote === null && raft.leader === null);
  const granted = free && raft.log.isUpToDate(message.lastIndex, message.lastTerm);
  if (granted) {
    raft.vote = message.from;
    restartElectionTimer(raft);
  }
  send(raft, message.from, { kind: 'vote-reply', granted });
}

/** Counts a vote of this term. */
export function onVoteReply(raft: Raft, message: Message & { kind: 'vote-reply' }): void {
  if (raft.role === 'candidate') recordVote(raft, message.from, message.granted);
}

/** The leader wants this member to take over (3.10): no question beforehand, nobody sticks. */
export function onTakeOver(raft: Raft): void {
  if (raft.role !== 'leader' && mayStand(raft)) campaign(raft, true);
}

/** Nothing was heard of a majority for a whole time-out: somebody else may lead by now (6.2). */
export function stepDownWithoutMajority(raft: Raft): void {
  const { leadership } = raft;
  if (leadership === null) return;
  const heard = (voter: MemberId): boolean =>
    voter === raft.id || leadership.progress.get(voter)?.active === true;
  if (!majority(raft.log.configuration, heard)) becomeFollower(raft, raft.term, null);
  for (const progress of leadership.progress.values()) progress.active = false;
}
