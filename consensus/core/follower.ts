import { assert } from '../../base/assert.ts';
import { restartElectionTimer } from './election.ts';
import { earlier, type LogIndex, later, logIndex, type MemberId } from './ids.ts';
import type { Message } from './message.ts';
import { discardPending, send } from './persistence.ts';
import type { Raft } from './raft.ts';

/** The leader of this term was heard; the caller has made this member its follower. */
export function hearLeader(raft: Raft, leader: MemberId): void {
  raft.leader = leader;
  restartElectionTimer(raft);
}

/** Takes entries if the log agrees with the leader's just before them (3.5). */
export function onAppend(raft: Raft, message: Message & { kind: 'append' }): void {
  const { log, following } = raft;
  const { previousIndex, previousTerm, entries } = message;
  following.round = Math.max(following.round, message.round);
  if (previousIndex < raft.commit && !log.matches(previousIndex, previousTerm)) {
    // Before the commit index all logs are equal, even where this one was compacted.
    agree(raft, raft.commit);
    return;
  }
  if (!log.matches(previousIndex, previousTerm)) {
    const hint = log.lastPlaceUpTo(logIndex(previousIndex - 1), previousTerm);
    send(raft, message.from, {
      kind: 'append-rejected',
      rejected: previousIndex,
      hintIndex: hint.index,
      hintTerm: hint.term,
      round: following.round,
    });
    return;
  }
  const conflict = log.merge(entries);
  if (conflict !== null) {
    assert(conflict > raft.commit, 'an append that differs from what is committed is not taken');
    discardPending(raft, conflict);
  }
  const last = logIndex(previousIndex + entries.length);
  agree(raft, last);
  raft.commit = later(raft.commit, earlier(message.commit, last));
}

function agree(raft: Raft, index: LogIndex): void {
  raft.following.matched = later(raft.following.matched, index);
  raft.following.owed = true;
}

/** The leader is there. */
export function onHeartbeat(raft: Raft, message: Message & { kind: 'heartbeat' }): void {
  raft.following.round = Math.max(raft.following.round, message.round);
  learnCommit(raft, message.commit, message.match);
  send(raft, message.from, { kind: 'heartbeat-reply', round: raft.following.round });
}

/**
 * Entries up to `commit` are committed, as far as this member knows that its own are the leader's:
 * it has merged them in this term, or has confirmed them up to `match` before a restart. Where the
 * log ends before `match`, this member has lost what it had confirmed. That is the one thing that it
 * must believe: a majority may count on what is gone, and its vote could elect a leader without it.
 */
export function learnCommit(raft: Raft, commit: LogIndex, match: LogIndex): void {
  const { following, log } = raft;
  if (match > log.lastIndex) {
    raft.effects.lost =
      `this member has lost entries that it had confirmed, up to ${match}: its disk went back in ` +
      'time; remove the member, empty its data directory, and add it again';
    return;
  }
  following.matched = later(following.matched, match);
  raft.commit = later(raft.commit, earlier(commit, following.matched));
}

/** At the end of a step: tells the leader what is durable here of what was agreed. */
export function acknowledge(raft: Raft): void {
  const { following, log, leader } = raft;
  if (leader === null || leader === raft.id) return;
  const match = earlier(log.durable, following.matched);
  const complete = following.owed && match === following.matched;
  if (match <= following.acknowledged && !complete) return;
  following.acknowledged = later(following.acknowledged, match);
  if (complete) following.owed = false;
  send(raft, leader, { kind: 'append-reply', match, round: following.round });
}
