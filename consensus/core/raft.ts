import { assert } from '../../base/assert.ts';
import type { Bytes, Milliseconds } from '../../base/units.ts';
import { keepsUp } from './catch-up.ts';
import type { Entry, HardState, Position, SnapshotMeta } from './entry.ts';
import { type LogIndex, later, logIndex, type MemberId, type Term, term } from './ids.ts';
import { Log } from './log.ts';
import type { Message } from './message.ts';
import type { Outputs } from './output.ts';
import type { Progress } from './progress.ts';
import { type Standing, standingAt } from './standing.ts';

/** Time-outs and bounds of one member. */
export interface RaftLimits {
  /** A follower waits a random time between these two for its leader (3.4). */
  readonly electionTimeoutMin: Milliseconds;
  readonly electionTimeoutMax: Milliseconds;
  /** How often a leader makes itself heard. */
  readonly heartbeatInterval: Milliseconds;
  /** Size of the entries in one append. */
  readonly appendBytesMax: Bytes;
  readonly appendEntriesMax: number;
  /** Appends under way to one follower, in number and in size. */
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: Bytes;
  /** Entries that the leader has not committed yet; beyond, it refuses proposals. */
  readonly uncommittedBytesMax: Bytes;
  /** Reads that wait for a confirmation of the leader. */
  readonly waitingReadsMax: number;
  /** What is kept behind a snapshot, so that a slow follower needs none, in number and in size. */
  readonly trailingEntries: number;
  readonly trailingBytes: Bytes;
}

/** A read that waits at the leader; `from` may be the leader itself. */
export interface ReadRequest {
  readonly from: MemberId;
  readonly id: number;
}

/** What only a leader has. */
export interface Leadership {
  readonly progress: Map<MemberId, Progress>;
  /** The last round of confirmations that was begun (6.4). */
  round: number;
  readonly waitingReads: ReadRequest[];
  confirming: { round: number; index: LogIndex; requests: readonly ReadRequest[] } | null;
  /** The highest number of a proposal that each member has handed over in this term. */
  readonly accepted: Map<MemberId, number>;
  uncommittedBytes: number;
  transfer: { readonly to: MemberId; elapsed: number; asked: boolean } | null;
  sinceHeartbeat: number;
}

/** What a member knows of its leader's log in this term. */
export interface Following {
  /** Up to here both logs are known to be equal. */
  matched: LogIndex;
  /** What the leader was last told of that. */
  acknowledged: LogIndex;
  /** The leader has sent something that asks for a reply. */
  owed: boolean;
  /** The highest round of the leader that was seen. */
  round: number;
  /** The snapshot that is being received. */
  incoming: { readonly snapshot: SnapshotMeta; received: number; storing: boolean } | null;
}

/** Part of a `Persist` that has not been acknowledged yet, and what waits for it. */
export interface PendingPersist {
  readonly sequence: number;
  readonly hardState: HardState | null;
  /** Entries up to here are in it, unless they gave way in the meantime. */
  last: LogIndex;
  readonly held: Message[];
}

type Growing<Item> = Item extends readonly (infer Element)[] ? Element[] : Item;

/** Outputs while a step collects them. */
export type Effects = { -readonly [Key in keyof Outputs]: Growing<Outputs[Key]> };

/** One member's state. Only `step` changes it; reading it is free. */
export interface Raft {
  readonly id: MemberId;
  readonly limits: RaftLimits;
  term: Term;
  vote: MemberId | null;
  role: 'follower' | 'pre-candidate' | 'candidate' | 'leader';
  leader: MemberId | null;
  readonly log: Log;
  /** By what was handed out as committed. */
  standing: Standing;
  /** The newest snapshot that is durable here; index 0 when there is none. */
  snapshot: SnapshotMeta;
  commit: LogIndex;
  /** Everything up to here was handed out as committed. */
  delivered: LogIndex;
  /** Running time since the leader was last heard, a vote was given, or the role changed. */
  electionElapsed: number;
  /** Null until the next tick draws one. */
  electionTimeout: number | null;
  readonly votes: Map<MemberId, boolean>;
  leadership: Leadership | null;
  following: Following;
  /** Term, vote and commit as they were last handed out, and as they are durable. */
  handedOut: HardState;
  durable: HardState;
  sequence: number;
  readonly pending: PendingPersist[];
  /** Messages of this step that wait for what this step persists. */
  held: Message[];
  /** The log was replaced by a snapshot in this step. */
  reset: Position | null;
  effects: Effects;
}

/** What a member finds when it starts. */
export interface Recovered {
  readonly hardState: HardState;
  /** Index 0 and the first configuration where there is no snapshot yet. */
  readonly snapshot: SnapshotMeta;
  /** The place before the first entry; not after the snapshot. */
  readonly base: Position;
  readonly entries: readonly Entry[];
}

/** A member as it is after a start, a follower that knows no leader (Ongaro 3.3). */
export function createRaft(id: MemberId, limits: RaftLimits, recovered: Recovered): Raft {
  const { hardState, snapshot, base, entries } = recovered;
  assert(base.index <= snapshot.index, 'the log begins at or before the snapshot');
  const log = new Log(base, entries, snapshot);
  assert(log.lastIndex >= snapshot.index, 'the log reaches the snapshot');
  assert(hardState.term >= log.lastTerm, 'the term is not behind the log');
  assert(hardState.commit <= log.lastIndex, 'what is committed is in the log');
  return {
    id,
    limits,
    term: hardState.term,
    vote: hardState.vote,
    role: 'follower',
    leader: null,
    log,
    standing: standingAt(snapshot, id),
    snapshot,
    commit: later(hardState.commit, snapshot.index),
    delivered: snapshot.index,
    electionElapsed: 0,
    electionTimeout: null,
    votes: new Map(),
    leadership: null,
    following: newFollowing(),
    handedOut: hardState,
    durable: hardState,
    sequence: 0,
    pending: [],
    held: [],
    reset: null,
    effects: noEffects(),
  };
}

/** Nothing is known of the leader's log. */
export function newFollowing(): Following {
  return { matched: logIndex(0), acknowledged: logIndex(0), owed: false, round: 0, incoming: null };
}

/** The state of a member that has never run. */
export const emptyHardState: HardState = { term: term(0), vote: null, commit: logIndex(0) };

/** Outputs that ask for nothing. */
export function noEffects(): Effects {
  return {
    persist: null,
    messages: [],
    unhurried: [],
    readChunks: [],
    storeChunk: null,
    restore: null,
    committed: [],
    reads: [],
    refusedProposals: [],
    refusedChanges: [],
    refusedReads: [],
    compacted: null,
    contradictions: [],
    lost: null,
  };
}

/** The progress of whoever sent this, marked as alive; null for strangers, or without office. */
export function heardFrom(raft: Raft, from: MemberId, round: number): Progress | null {
  const progress = raft.leadership?.progress.get(from) ?? null;
  if (progress === null) return null;
  progress.active = true;
  progress.silent = 0;
  progress.round = Math.max(progress.round, round);
  return progress;
}

/** Whether a leader has heard from this member so lately that it takes it for alive. */
export function isHeard(raft: Raft, member: MemberId): boolean {
  if (member === raft.id) return true;
  const silent = raft.leadership?.progress.get(member)?.silent ?? null;
  return silent !== null && silent < raft.limits.electionTimeoutMax;
}

/**
 * Whether a member that is heard lacks nothing of the leader's log but what is newer than a least
 * time-out (4.2.1): it holds up the pool no longer than an election would.
 */
export function isCaughtUp(raft: Raft, member: MemberId): boolean {
  const progress = raft.leadership?.progress.get(member);
  if (progress === undefined || !isHeard(raft, member)) return false;
  return keepsUp(progress.catchUp, raft.limits.electionTimeoutMin);
}
