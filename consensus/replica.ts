import type { Result } from '../base/result.ts';
import type { Configuration } from './core/configuration.ts';
import type { LogIndex, MemberId, Term } from './core/ids.ts';
import type { MembershipChange, MembershipRefusal } from './core/membership.ts';

/**
 * The seam between consensus and the store: the store is a `StateMachine` that every member feeds
 * with the same commands in the same order, and asks its `Replica` to get commands into that order.
 */

export type { LogIndex, MemberId, Term };

/** What the replicated log drives. All of it is synchronous and deterministic. */
export interface StateMachine<Reply> {
  /** Applies one committed command. Called once for each index, in order. */
  apply(index: LogIndex, command: Uint8Array): Reply;
  /**
   * Whether `apply` can read this command, and the member that forwards it may ask for that; null
   * where it is in the log of a leader already. One that cannot be read must not come into the log:
   * every member would stop at it, again at each start.
   */
  accepts?(command: Uint8Array, from: MemberId | null): boolean;
  /**
   * Who takes part from here on: what a committed entry says between two commands, or the snapshot
   * that was just restored. All members are told at the same places of the log.
   */
  configured?(members: readonly MemberId[]): void;
  /**
   * Everything that was applied before the call, as chunks whose order matters; what is applied
   * while they are read does not show. They are read once, to the end or until `return`.
   */
  snapshot(): Iterable<Uint8Array>;
  /** Replaces the state by a snapshot's. A chunk that cannot be read is a failure: corruption. */
  restore(chunks: Iterable<Uint8Array>): Result<void, string>;
}

/** Why a proposal or a read was not served. Only `outcome-unknown` may have taken effect. */
export type ReplicaErrorCode =
  /** No leader was found in a request's time; it had no effect. */
  | 'no-leader'
  /** The leader changed, or answered nothing in time, after the command was handed over. */
  | 'outcome-unknown'
  /** The command is larger than a log entry may be. */
  | 'too-large'
  /** Too many proposals wait already. */
  | 'overloaded'
  /** The disk is full or failed: this member serves reads only. */
  | 'read-only'
  /** This member is shutting down. */
  | 'stopped';

/** `detail` is one sentence for the operator. */
export interface ReplicaError {
  readonly code: ReplicaErrorCode;
  readonly detail: string;
}

/** What a member knows of itself and of the leader. */
export interface ReplicaStatus {
  readonly member: MemberId;
  /** Null while no leader is known. */
  readonly leader: MemberId | null;
  readonly role: 'follower' | 'pre-candidate' | 'candidate' | 'leader';
  readonly term: Term;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  /** The configuration in force at this member, committed or not. */
  readonly configuration: Configuration;
  /** Where it stands in the log: committed, if that is not after `commitIndex`. */
  readonly configurationIndex: LogIndex;
  /** The newest that is committed as far as this member knows: what clients may be told. */
  readonly committedConfiguration: Configuration;
  /**
   * Whether this member's disk takes writes. `full` passes once there is room, `failed` needs a
   * restart; meanwhile the member serves reads, and hands over if it leads.
   */
  readonly disk: 'good' | 'full' | 'failed';
  /**
   * Whether this member took part and does so no longer, by what is committed. It never will again:
   * its id is spent, and its process has nothing left to do. A restart may have forgotten this.
   */
  readonly removed: boolean;
}

/** What a leader knows of another member. */
export interface FollowerStatus {
  readonly member: MemberId;
  /** It has the leader's log up to here, durably. */
  readonly match: LogIndex;
  /** Whether it was heard from lately: within the longest election time-out. */
  readonly heard: boolean;
  /** Whether it was heard, and keeps up: a learner of which this holds may be promoted. */
  readonly caughtUp: boolean;
}

/** Why a change of the membership, or of the leader, did not happen. */
export interface MembershipError {
  readonly code: MembershipRefusal | ReplicaErrorCode;
  readonly detail: string;
}

/** One member's handle on the replicated log. Any member takes proposals: followers forward them. */
export interface Replica<Reply> {
  /**
   * Resolves once the command is committed *and applied here*, with what `apply` returned here.
   * `urgent`: also while this member is read-only, for then the others' copies can commit it; meant
   * for what tells of that state.
   */
  propose(command: Uint8Array, urgent?: boolean): Promise<Result<Reply, ReplicaError>>;
  /** Resolves once everything committed before the call is applied here: then a local read is linearizable. */
  readBarrier(): Promise<Result<void, ReplicaError>>;
  /** Resolves with the new configuration once it is committed and applied here. */
  changeMembership(change: MembershipChange): Promise<Result<Configuration, MembershipError>>;
  /**
   * Resolves once `to`, a voter, leads. Fails at any member but the leader with `no-leader`, for
   * whoever is no voter with `member-not-found`, for one that lags or is silent with
   * `not-caught-up`, while another transfer is under way with `not-ready`, and with
   * `outcome-unknown` if the leader goes on instead, or another leads.
   */
  transferLeadership(to: MemberId): Promise<Result<void, MembershipError>>;
  status(): ReplicaStatus;
  /** What this member knows of the others if it leads; otherwise nothing. */
  followers(): readonly FollowerStatus[];
  /** Calls `listener` when the status changed in more than its indexes. Returns a stop. */
  onStatus(listener: (status: ReplicaStatus) => void): () => void;
}
