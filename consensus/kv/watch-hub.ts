import { storeBounds } from './bounds.ts';
import type { History } from './history.ts';
import { inRange, type KeyRange } from './key-range.ts';
import { RangeIndex } from './range-index.ts';
import { isTombstone, type Revision, type Version } from './version.ts';

/** What a watcher wants to see. */
export interface WatchRequest {
  readonly range: KeyRange;
  /** The first revision whose changes are wanted; it may be in the past or in the future. */
  readonly start: Revision;
  readonly puts: boolean;
  readonly deletes: boolean;
  /** Called while a command is applied, when there is something to take and there was nothing. */
  readonly wake: () => void;
}

/** One open watch. Its holder gives it back to the hub that it came from. */
export interface Watcher {
  readonly request: WatchRequest;
}

interface OpenWatcher extends Watcher {
  /** Nothing before this revision is owed any more. */
  next: Revision;
  /** Changes that are owed, where the watcher keeps pace. */
  pending: Version[];
  /** It reads from the history, because it began in the past or fell behind. */
  lagging: boolean;
}

/** What `take` has for a watcher. */
export type Taken =
  /** Changes in order, always all of a revision; `more` says that there may be more at once. */
  | { readonly kind: 'changes'; readonly versions: readonly Version[]; readonly more: boolean }
  /** What is owed was compacted away: the watch has ended. It can be read from `compacted` on. */
  | { readonly kind: 'compacted'; readonly compacted: Revision };

/**
 * The watches of one member. A watcher gets every change of its range from its first revision on,
 * in order, none twice. One that keeps pace is handed the changes as they are applied; one that
 * falls behind by more than `watchPending` reads from the history, and so costs no memory.
 */
export class WatchHub {
  readonly #history: () => History;
  readonly #index = new RangeIndex<OpenWatcher>();
  readonly #open = new Map<Watcher, OpenWatcher>();

  constructor(history: () => History) {
    this.#history = history;
  }

  /** How many watches are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Opens a watch. If it begins in the past, there is something to take at once. */
  open(request: WatchRequest): Watcher {
    const lagging = request.start <= this.#history().revision;
    const watcher: OpenWatcher = { request, next: request.start, pending: [], lagging };
    this.#open.set(watcher, watcher);
    this.#index.add(request.range, watcher);
    return watcher;
  }

  close(watcher: Watcher): void {
    const open = this.#open.get(watcher);
    if (open === undefined) return;
    this.#open.delete(watcher);
    this.#index.remove(open.request.range, open);
  }

  /** Whether the watcher was given all that there is up to the newest revision. */
  isCaughtUp(watcher: Watcher): boolean {
    const open = this.#open.get(watcher);
    return open !== undefined && !open.lagging && open.pending.length === 0;
  }

  /** Hands the changes of one new revision to those who watch their keys. */
  publish(changes: readonly Version[]): void {
    if (this.#open.size === 0) return;
    for (const version of changes)
      this.#index.visit(version.key, (watcher) => this.#hand(watcher, version));
  }

  /** The history was replaced by a later one, after `delivered`: what is between is read from it. */
  rewind(delivered: Revision): void {
    for (const watcher of this.#open.values()) {
      if (!watcher.lagging) {
        const after = (delivered + 1) as Revision;
        watcher.next = watcher.pending[0]?.modRevision ?? later(watcher.next, after);
        watcher.pending = [];
        watcher.lagging = true;
      }
      watcher.request.wake();
    }
  }

  /**
   * Takes what is owed next: about `limit` changes of about `watchBatchSize` bytes, more where one
   * revision has more.
   */
  take(watcher: Watcher, limit: number): Taken {
    const open = this.#open.get(watcher);
    if (open === undefined) return { kind: 'changes', versions: [], more: false };
    if (open.lagging) return this.#catchUp(open, limit);
    const versions = firstBatch(open.pending, limit);
    open.pending = open.pending.slice(versions.length);
    return { kind: 'changes', versions, more: open.pending.length > 0 };
  }

  #hand(watcher: OpenWatcher, version: Version): void {
    const { pending, request } = watcher;
    if (watcher.lagging || version.modRevision < watcher.next) return;
    if (!wants(request, version)) return;
    if (pending.length >= storeBounds.watchPending) {
      watcher.next = pending[0]?.modRevision ?? version.modRevision;
      watcher.pending = [];
      watcher.lagging = true;
      return;
    }
    pending.push(version);
    if (pending.length === 1) request.wake();
  }

  #catchUp(watcher: OpenWatcher, limit: number): Taken {
    const history = this.#history();
    if (watcher.next < history.compacted)
      return { kind: 'compacted', compacted: history.compacted };
    const short = shortHistory(history, watcher);
    if (short !== null) {
      watcher.lagging = false;
      watcher.pending = short;
      return this.take(watcher, limit);
    }
    const { log } = history;
    const batch = new Batch(limit);
    let position = log.firstAtOrAfter(watcher.next);
    const stop = position + storeBounds.watchScan;
    let previous = -1;
    for (; position < log.end; position += 1) {
      const version = log.at(position);
      const begins = version.modRevision !== previous;
      if (begins && (batch.isFull || position >= stop)) break;
      previous = version.modRevision;
      if (inRange(watcher.request.range, version.key) && wants(watcher.request, version))
        batch.add(version);
    }
    watcher.lagging = position < log.end;
    watcher.next = watcher.lagging
      ? log.at(position).modRevision
      : later(watcher.next, (history.revision + 1) as Revision);
    return { kind: 'changes', versions: batch.versions, more: watcher.lagging };
  }
}

function later(one: Revision, other: Revision): Revision {
  return one > other ? one : other;
}

function wants(request: WatchRequest, version: Version): boolean {
  return isTombstone(version) ? request.deletes : request.puts;
}

/** Changes that are taken together. */
class Batch {
  readonly versions: Version[] = [];
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.versions.length >= this.#limit || this.#size >= storeBounds.watchBatchSize;
  }

  add(version: Version): void {
    this.versions.push(version);
    this.#size += version.key.length + version.value.length;
  }
}

/** The first changes that fill a batch; no revision is cut in two. */
function firstBatch(versions: readonly Version[], limit: number): readonly Version[] {
  const batch = new Batch(limit);
  for (const version of versions) {
    const begins = version.modRevision !== batch.versions.at(-1)?.modRevision;
    if (begins && batch.isFull) return batch.versions;
    batch.add(version);
  }
  return versions;
}

/**
 * What a watcher of one key is owed, found by way of the key, not of the log, which is much longer;
 * null where the watcher has a span, or the key changed too often for that.
 */
function shortHistory(history: History, { request, next }: OpenWatcher): Version[] | null {
  if (request.range.kind !== 'key') return null;
  const versions: Version[] = [];
  let version = history.latest(request.range.key);
  for (; version !== null && version.modRevision >= next; version = version.previous) {
    if (versions.length >= storeBounds.watchPending) return null;
    if (wants(request, version)) versions.push(version);
  }
  return versions.reverse();
}
