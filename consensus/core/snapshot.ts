import type { SnapshotMeta } from './entry.ts';
import { earlier, type LogIndex, later, logIndex, type MemberId } from './ids.ts';
import type { Message } from './message.ts';
import { discardPending, send } from './persistence.ts';
import { confirmed, probe, type SnapshotTransfer } from './progress.ts';
import { heardFrom, type Raft } from './raft.ts';
import { standingAfter } from './standing.ts';

/** Asks the driver to send the piece that the follower lacks next. */
export function requestChunk(raft: Raft, to: MemberId, transfer: SnapshotTransfer): void {
  transfer.waiting = 0;
  raft.effects.readChunks.push({
    to,
    term: raft.term,
    snapshot: transfer.snapshot,
    offset: transfer.received,
  });
}

/** Time passes for the transfers: a piece that nobody confirmed is sent again. */
export function tickTransfers(raft: Raft, elapsed: number): void {
  for (const [to, { transfer, active }] of raft.leadership?.progress ?? []) {
    if (transfer === null) continue;
    transfer.waiting += elapsed;
    if (active && transfer.waiting >= raft.limits.electionTimeoutMax)
      requestChunk(raft, to, transfer);
  }
}

/** A piece was lost with its snapshot, which a newer one has replaced: begin with that one. */
export function onChunkMissing(raft: Raft, to: MemberId, index: LogIndex): void {
  const progress = raft.leadership?.progress.get(to);
  if (progress?.transfer?.snapshot.index === index) probe(progress, progress.next);
}

/** A follower has stored a piece, or the whole. */
export function onSnapshotReply(raft: Raft, message: Message & { kind: 'snapshot-reply' }): void {
  const progress = heardFrom(raft, message.from, 0);
  const transfer = progress?.transfer ?? null;
  if (progress === null || transfer === null) return;
  if (message.installed) confirmed(progress, message.index);
  else if (message.index === transfer.snapshot.index && message.received !== transfer.received) {
    transfer.received = message.received;
    requestChunk(raft, message.from, transfer);
  }
}

/** A piece has come. Pieces are stored in order, one at a time; the reply says what is next. */
export function onSnapshotChunk(raft: Raft, message: Message & { kind: 'snapshot-chunk' }): void {
  const { following, log } = raft;
  const { snapshot, offset, data, last } = message;
  if (snapshot.index <= raft.commit || log.matches(snapshot.index, snapshot.term)) {
    // All of it is here already, as entries.
    raft.commit = later(raft.commit, snapshot.index);
    if (log.durable >= snapshot.index) reply(raft, snapshot.index, 0, true);
    return;
  }
  if (following.incoming?.snapshot.index !== snapshot.index)
    following.incoming = { snapshot, received: 0, storing: false };
  const { incoming } = following;
  if (incoming.storing) return;
  if (offset !== incoming.received) {
    reply(raft, snapshot.index, incoming.received, false);
    return;
  }
  incoming.storing = true;
  // What the first piece said of the snapshot holds for all of it.
  raft.effects.storeChunk = { snapshot: incoming.snapshot, offset, data, last };
}

function reply(raft: Raft, index: LogIndex, received: number, installed: boolean): void {
  if (raft.leader === null) return;
  send(raft, raft.leader, { kind: 'snapshot-reply', index, received, installed });
}

/** The driver has stored a piece; after the last one the log begins at the snapshot. */
export function onChunkStored(
  raft: Raft,
  snapshot: SnapshotMeta,
  received: number,
  last: boolean,
): void {
  const { following } = raft;
  const { incoming } = following;
  if (incoming === null || incoming.snapshot.index !== snapshot.index) return;
  incoming.storing = false;
  incoming.received = received;
  if (last) {
    following.incoming = null;
    install(raft, snapshot);
  }
  reply(raft, snapshot.index, received, last);
}

function install(raft: Raft, snapshot: SnapshotMeta): void {
  if (snapshot.index <= raft.commit) {
    // The entries came first; the snapshot is as good as one of its own.
    onSnapshotMade(raft, snapshot);
    return;
  }
  discardPending(raft, logIndex(1));
  raft.log.reset(snapshot);
  raft.reset = { index: snapshot.index, term: snapshot.term };
  raft.snapshot = snapshot;
  raft.standing = standingAfter(raft.standing, snapshot.configuration, raft.id);
  raft.commit = snapshot.index;
  raft.delivered = snapshot.index;
  raft.following.matched = snapshot.index;
  raft.following.acknowledged = snapshot.index;
  raft.effects.restore = snapshot;
}

/** The driver has made a snapshot: all but the newest entries before it are no longer needed. */
export function onSnapshotMade(raft: Raft, snapshot: SnapshotMeta): void {
  if (snapshot.index <= raft.snapshot.index) return;
  raft.snapshot = snapshot;
  const { trailingBytes, trailingEntries } = raft.limits;
  const trailing = raft.log.trailingStart(snapshot.index, trailingBytes, trailingEntries);
  // What is not durable yet may replace entries on the disk that only seem to be the same.
  const last = earlier(trailing, raft.log.durable);
  if (last <= raft.log.base.index) return;
  raft.log.compact(last);
  raft.effects.compacted = last;
}
