import { present } from '../../base/assert.ts';
import { type CatchUp, newCatchUp } from './catch-up.ts';
import type { SnapshotMeta } from './entry.ts';
import { type LogIndex, later, logIndex } from './ids.ts';

/** How far a snapshot's transfer to a follower has come. */
export interface SnapshotTransfer {
  readonly snapshot: SnapshotMeta;
  /** Bytes that the follower has said it stored. */
  received: number;
  /** Time since the piece at `received` was asked for, in milliseconds. */
  waiting: number;
}

/** What the leader knows of one follower, and how it talks to it. */
export interface Progress {
  /** The follower's log is known to equal the leader's up to here, durably. */
  match: LogIndex;
  /** The first entry that the next append will carry. */
  next: LogIndex;
  /**
   * `probe`: one append at a time, until the follower says where the logs agree. `replicate`:
   * appends follow one another without waiting. `snapshot`: the log no longer has what it needs.
   */
  mode: 'probe' | 'replicate' | 'snapshot';
  /** In `probe`: an append is under way. */
  paused: boolean;
  /** In `probe`: the last entry that was sent, and how much with it. */
  probed: { readonly last: LogIndex; readonly size: number } | null;
  /** In `replicate`: what is under way, oldest first. */
  readonly inflight: { readonly last: LogIndex; readonly size: number }[];
  inflightBytes: number;
  /** In `snapshot`: the transfer. */
  transfer: SnapshotTransfer | null;
  /** Whether it was heard from since the leader last counted its majority (6.2). */
  active: boolean;
  /** Time since it was last heard from, in milliseconds; null if it never was in this term. */
  silent: number | null;
  readonly catchUp: CatchUp;
  /** Once it is removed: where the log says so, and for how long that has been committed. */
  leaving: { readonly since: LogIndex; elapsed: number } | null;
  /** The highest round that it has confirmed (6.4). */
  round: number;
  /** The commit index that it was last told. */
  toldCommit: LogIndex;
}

/** A follower of which nothing is known yet. */
export function newProgress(next: LogIndex): Progress {
  return {
    match: logIndex(0),
    next,
    mode: 'probe',
    paused: false,
    probed: null,
    inflight: [],
    inflightBytes: 0,
    transfer: null,
    active: true,
    silent: null,
    catchUp: newCatchUp(logIndex(next - 1)),
    leaving: null,
    round: 0,
    toldCommit: logIndex(0),
  };
}

/** Back to one append at a time, from `next` on. */
export function probe(progress: Progress, next: LogIndex): void {
  progress.mode = 'probe';
  progress.paused = false;
  progress.probed = null;
  progress.next = later(next, logIndex(progress.match + 1));
  progress.transfer = null;
  progress.inflight.length = 0;
  progress.inflightBytes = 0;
}

/** Notes an append that ends at `last` as under way. */
export function sent(progress: Progress, last: LogIndex, size: number): void {
  if (progress.mode === 'probe') {
    progress.paused = true;
    progress.probed = { last, size };
  } else enqueue(progress, last, size);
}

function enqueue(progress: Progress, last: LogIndex, size: number): void {
  progress.next = logIndex(last + 1);
  progress.inflight.push({ last, size });
  progress.inflightBytes += size;
}

/** The follower has confirmed everything up to `match`; appends may follow one another now. */
export function confirmed(progress: Progress, match: LogIndex): void {
  const advanced = match > progress.match;
  progress.match = later(progress.match, match);
  if (progress.mode === 'snapshot') {
    const wanted = present(progress.transfer, 'a snapshot is being sent').snapshot.index;
    if (progress.match < wanted) return;
    probe(progress, logIndex(progress.match + 1));
  }
  if (progress.mode === 'probe' && (advanced || match + 1 >= progress.next)) {
    const { probed } = progress;
    probe(progress, logIndex(progress.match + 1));
    progress.mode = 'replicate';
    // The rest of what was probed with is under way, and need not be sent again.
    if (probed !== null && probed.last > progress.match)
      enqueue(progress, probed.last, probed.size);
  }
  progress.next = later(progress.next, logIndex(progress.match + 1));
  while ((progress.inflight[0]?.last ?? Number.POSITIVE_INFINITY) <= progress.match)
    progress.inflightBytes -= progress.inflight.shift()?.size ?? 0;
}
