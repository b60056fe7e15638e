import { type Bytes, bytes, type Milliseconds, milliseconds } from '../../base/units.ts';
import type { RaftLimits } from '../core/raft.ts';

/** Time-outs and bounds of a member, the core's included. */
export interface NodeLimits extends RaftLimits {
  /** How often time is told to the core: how exact its time-outs are. */
  readonly tickInterval: Milliseconds;
  /** Largest command. */
  readonly commandBytesMax: Bytes;
  /** Proposals of this member that wait, in number and in size. */
  readonly pendingProposalsMax: number;
  readonly pendingBytesMax: Bytes;
  /** Changes of the membership that wait. */
  readonly pendingChangesMax: number;
  /** After this a proposal that was handed over is `outcome-unknown`; one that was not, and a read, `no-leader`. */
  readonly requestTimeout: Milliseconds;
  /** A read that the leader has not answered is asked for again. */
  readonly readRetry: Milliseconds;
  /** Callers of `readBarrier` that wait. */
  readonly pendingReadsMax: number;
  /** A snapshot is made after this many entries, or this many bytes of entries. */
  readonly snapshotEntries: number;
  readonly snapshotBytes: Bytes;
  /** A write for which there was no room is tried again. */
  readonly diskRetry: Milliseconds;
  /** A leader whose disk takes no writes tries again to hand over. */
  readonly handOverRetry: Milliseconds;
}

/**
 * Defaults for members on one network. A dead leader is replaced in about 400 ms at the median:
 * the first of the random time-outs of the rest, and two rounds of messages and writes. The least
 * time-out is five heartbeats, so that a busy machine does not call elections for nothing.
 */
export const defaultLimits: NodeLimits = {
  electionTimeoutMin: milliseconds(250),
  electionTimeoutMax: milliseconds(500),
  heartbeatInterval: milliseconds(50),
  // Some hundred small entries fill a message; larger ones only delay the heartbeat behind them.
  appendBytesMax: bytes(256 * 2 ** 10),
  appendEntriesMax: 1024,
  // Fills the way to a follower at 1 ms and a gigabit several times over.
  inflightMessagesMax: 64,
  inflightBytesMax: bytes(4 * 2 ** 20),
  uncommittedBytesMax: bytes(64 * 2 ** 20),
  waitingReadsMax: 10_000,
  trailingEntries: 5000,
  trailingBytes: bytes(8 * 2 ** 20),
  tickInterval: milliseconds(20),
  // etcd's default for a request, which etcdctl's users know.
  commandBytesMax: bytes(1.5 * 2 ** 20),
  pendingProposalsMax: 10_000,
  pendingBytesMax: bytes(32 * 2 ** 20),
  // They come from people, one by one.
  pendingChangesMax: 16,
  requestTimeout: milliseconds(5000),
  readRetry: milliseconds(300),
  pendingReadsMax: 20_000,
  snapshotEntries: 20_000,
  snapshotBytes: bytes(32 * 2 ** 20),
  diskRetry: milliseconds(500),
  // Four longest time-outs: while it hands over, a leader takes no proposals.
  handOverRetry: milliseconds(2000),
};
