import type { Entry, HardState, Position, ProposalId, SnapshotMeta } from './entry.ts';
import type { LogIndex, MemberId, Term } from './ids.ts';
import type { MembershipRefusal } from './membership.ts';
import type { Message } from './message.ts';

/**
 * What must become durable, all of it or none, after everything with a lower sequence. The core
 * itself holds back every message that depends on it until the input `persisted` says so.
 */
export interface Persist {
  readonly sequence: number;
  readonly hardState: HardState | null;
  /** Before the entries: the log is now empty and begins after this place. */
  readonly reset: Position | null;
  /** The first one replaces what the log has at its index and after it. */
  readonly entries: readonly Entry[];
}

/** A piece of a snapshot to read and to send, as a `snapshot-chunk` of this term. */
export interface ReadChunk {
  readonly to: MemberId;
  readonly term: Term;
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
}

/** A piece of a snapshot to store; offset 0 discards what was stored of any other. */
export interface StoreChunk {
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly last: boolean;
}

/** A read may be served once everything up to `index` is applied. */
export interface ReadReady {
  readonly id: number;
  readonly index: LogIndex;
}

/**
 * Why the core did not take a proposal or a read; it had no effect. `transferring`: the leader is
 * handing over its office, and its successor will take it.
 */
export type RefusalReason = 'no-leader' | 'overloaded' | 'transferring';

/** A message that no member can have sent that follows the rules; it was not listened to. */
export interface Contradiction {
  readonly from: MemberId;
  /** A sentence about the sender, without its name. */
  readonly detail: string;
}

/**
 * What a step asks for, in the order in which it is to be done. Messages may leave while `persist`
 * is being written: none of them depends on it.
 */
export interface Outputs {
  readonly persist: Persist | null;
  readonly messages: readonly Message[];
  /** To these, appends, heartbeats and news of the commit index may leave a moment later (R61). */
  readonly unhurried: readonly MemberId[];
  readonly readChunks: readonly ReadChunk[];
  readonly storeChunk: StoreChunk | null;
  /** The state machine becomes this snapshot, before `committed` is applied. */
  readonly restore: SnapshotMeta | null;
  /** To be applied, in order; each committed entry appears once. */
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadReady[];
  readonly refusedProposals: readonly { readonly id: ProposalId; readonly reason: RefusalReason }[];
  readonly refusedChanges: readonly {
    readonly number: number;
    readonly reason: MembershipRefusal | 'no-leader';
  }[];
  readonly refusedReads: readonly { readonly id: number; readonly reason: RefusalReason }[];
  /** The log before this place will not be asked for again. */
  readonly compacted: LogIndex | null;
  readonly contradictions: readonly Contradiction[];
  /**
   * This member has lost what it had confirmed, and must not take part any more: the sentence says
   * what, and what to do.
   */
  readonly lost: string | null;
}
