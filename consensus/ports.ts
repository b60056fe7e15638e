import type { Result } from '../base/result.ts';
import type { Milliseconds } from '../base/units.ts';
import type { Configuration } from './core/configuration.ts';
import type { SnapshotMeta } from './core/entry.ts';
import type { LogIndex, MemberId } from './core/ids.ts';
import type { Message } from './core/message.ts';
import type { Persist, StoreChunk } from './core/output.ts';
import type { Recovered } from './core/raft.ts';

/** What the driver needs of the world: something durable, other members, and time. */

/** Why the store could not do what was asked. */
export type StoreErrorCode =
  /** No room. Nothing was written; it may be tried again once there is room. */
  | 'full'
  /** The device failed: what is durable is no longer known until a restart. */
  | 'failed'
  /** That snapshot is not here, or no longer. */
  | 'missing'
  /** What was read is not what was written. */
  | 'damaged';

/** `detail` is one sentence for the operator. */
export interface StoreError {
  readonly code: StoreErrorCode;
  readonly detail: string;
}

/** A piece of a snapshot as it travels between members. */
export interface SnapshotPiece {
  readonly data: Uint8Array;
  readonly last: boolean;
}

/**
 * Where one member keeps its term, its vote, its log and its newest snapshot. The owner calls
 * `write` again only after the last call has been answered. `test/contract/log-store.ts` is the
 * suite that every implementation passes.
 */
export interface LogStore {
  /** What was found when the store was opened. */
  readonly recovered: Recovered;
  /** How often this store was opened, durably counted: it makes the numbers of proposals unique. */
  readonly incarnation: number;
  /** Makes everything in the list durable, in order. After `full`, the same list may come again. */
  write(list: readonly Persist[]): Promise<Result<void, StoreError>>;
  /** The log up to here is durable, and not needed any more. When its room is given back is not promised. */
  compact(index: LogIndex): void;
  /**
   * Makes a snapshot durable as a whole, then lets go of older ones. The chunks are taken one by
   * one, with other work in between: they show the state as it was at the call. Not all of them may
   * be taken; the caller ends them.
   */
  saveSnapshot(
    snapshot: SnapshotMeta,
    chunks: Iterable<Uint8Array>,
  ): Promise<Result<void, StoreError>>;
  /** The chunks of the newest snapshot, checked as they are read. */
  loadSnapshot(index: LogIndex): Result<Iterable<Uint8Array>, StoreError>;
  /** Reads a piece of the newest snapshot, for another member. */
  readPiece(index: LogIndex, offset: number): Promise<Result<SnapshotPiece, StoreError>>;
  /**
   * Stores a piece that came from another member; offset 0 begins anew. With the last piece the
   * snapshot is checked, made durable, and is the newest. The value is what is stored, in bytes.
   */
  storePiece(piece: StoreChunk): Promise<Result<number, StoreError>>;
  /** Waits for what is under way, then lets go of the place. */
  close(): Promise<void>;
}

/** Where a transport hands over what it has received. */
export interface PeerReceiver {
  receive(messages: readonly Message[]): void;
  /** The connection to this member broke, or messages to it were dropped. */
  unreachable(member: MemberId): void;
}

/** The way to the other members. It may lose, delay, repeat and reorder messages. */
export interface PeerTransport {
  /**
   * Hands over and returns at once; never fails. Appends, heartbeats and news of the commit index to
   * the `unhurried` may be kept for a moment, in order, to leave together with what follows.
   */
  send(messages: readonly Message[], unhurried?: readonly MemberId[]): void;
  /** Names who receives, once, before anything is sent. */
  attach(receiver: PeerReceiver): void;
  /**
   * Who takes part now, and where: called before anything is sent, and after every change.
   * `index` is where in the log the configuration stands, at most; a later one is newer. At the
   * leader, who has just been removed is among the learners for a while.
   */
  configure(configuration: Configuration, index: LogIndex): void;
  /** This member has said what cannot be, as the sentence tells: it is hung up on. It may call again. */
  refuse(member: MemberId, reason: string): void;
}

/** Time, and the turns of the event loop. */
export interface Clock {
  /** On a clock that never goes back. */
  now(): Milliseconds;
  /** Calls about every `interval`. Calls that were missed are not made up for. Returns a stop. */
  every(interval: Milliseconds, callback: () => void): () => void;
  /** Calls once what has already arrived from the network and the disk was handed over. */
  defer(callback: () => void): void;
  /** Calls once what arrived together with the present event was handed over, and nothing else. */
  soon(callback: () => void): void;
}
