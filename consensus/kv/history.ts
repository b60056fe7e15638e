import { assert } from '../../base/assert.ts';
import { type Bytes, bytes } from '../../base/units.ts';
import { versionOverhead } from './bounds.ts';
import type { ByteString } from './byte-string.ts';
import { ChangeLog } from './change-log.ts';
import type { KeyRange } from './key-range.ts';
import { KeyTree } from './key-tree.ts';
import { isTombstone, type Revision, type Version, versionAt } from './version.ts';

/** The bytes that a version is taken to occupy. */
export function sizeOfVersion(version: Version): number {
  return versionOverhead + version.key.length + version.value.length;
}

/**
 * All versions of all keys since the last compaction. The index leads to each key's latest version,
 * from which the older ones hang, newest first; the log has the same versions by revision.
 *
 * Reading a key's latest version is O(log n); an older one costs a step more for each newer version
 * of that key. Compaction takes effect at once, and frees memory in steps (`trim`).
 */
export class History {
  readonly #index = new KeyTree<Version>((version) => (isTombstone(version) ? 0 : 1));
  readonly #log = new ChangeLog();
  #revision = 1 as Revision;
  #compacted = 0 as Revision;
  #size = 0;
  #pins = 0;
  /** Position in the log before which no change holds on to what it superseded. */
  #cutUpTo = 0;

  /** The newest revision. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The oldest revision that can still be read; 0 before the first compaction. */
  get compacted(): Revision {
    return this.#compacted;
  }

  /** What is retained, in bytes: an estimate. Members that trimmed further hold less. */
  get size(): Bytes {
    return bytes(this.#size);
  }

  get log(): ChangeLog {
    return this.#log;
  }

  /** The latest version of a key, which may be a tombstone. */
  latest(key: ByteString): Version | null {
    return this.#index.get(key) ?? null;
  }

  /** The key as it is now, or null where it does not exist. */
  live(key: ByteString): Version | null {
    const latest = this.#index.get(key);
    return latest === undefined || isTombstone(latest) ? null : latest;
  }

  /** Calls `visit` for each key of the range that exists at `revision`, in order, until it returns false. */
  scan(range: KeyRange, revision: Revision, visit: (version: Version) => boolean): void {
    if (range.kind === 'key') {
      const latest = this.#index.get(range.key);
      const version = latest === undefined ? null : versionAt(latest, revision);
      if (version !== null) visit(version);
      return;
    }
    this.#index.scan(range.from, range.to, (latest) => {
      const version = versionAt(latest, revision);
      return version === null || visit(version);
    });
  }

  /** Calls `visit` for the latest version, tombstones included, of each key from `from` on. */
  scanLatest(from: ByteString, visit: (version: Version) => boolean): void {
    this.#index.scan(from, null, visit);
  }

  /** How many keys of the range exist now. */
  count(range: KeyRange): number {
    if (range.kind === 'key') return this.live(range.key) === null ? 0 : 1;
    return this.#index.weightBetween(range.from, range.to);
  }

  /** Adds a version, as the newest change. Its revision may be the newest one or the one after it. */
  append(version: Version): void {
    assert(version.modRevision >= this.#revision, 'changes are appended in order');
    this.#index.set(version.key, version);
    this.#log.append(version);
    this.#size += sizeOfVersion(version);
  }

  /** Adds a version from before the first change of the log: what a compaction had left of a key. */
  appendCompacted(version: Version): void {
    this.#index.set(version.key, version);
    this.#size += sizeOfVersion(version);
  }

  /** For an empty history that is to be filled from a snapshot: what is compacted already. */
  startFrom(compacted: Revision): void {
    assert(this.#log.end === 0 && this.#index.size === 0, 'an empty history');
    this.#compacted = compacted;
    this.#revision = compacted > 1 ? compacted : (1 as Revision);
  }

  /** Makes `revision` the newest one. */
  advance(revision: Revision): void {
    assert(revision >= this.#revision, 'revisions grow');
    this.#revision = revision;
  }

  /** Gives up what only reads below `revision` need. `trim` then frees it, bit by bit. */
  compact(revision: Revision): void {
    assert(revision >= this.#compacted && revision <= this.#revision, 'a revision to compact at');
    this.#compacted = revision;
  }

  /** Frees up to `limit` superseded versions; returns whether more could be freed at once. */
  trim(limit: number): boolean {
    if (this.#pins > 0) return false;
    for (let freed = 0; freed < limit; freed += 1) {
      if (this.#hasBefore()) this.#trimFirst();
      else if (this.#hasUncut()) this.#cutNext();
      else return false;
    }
    return this.#hasBefore() || this.#hasUncut();
  }

  /** Keeps all that is retained now from being freed, until the returned function is called. */
  pin(): () => void {
    this.#pins += 1;
    let held = true;
    return () => {
      if (held) this.#pins -= 1;
      held = false;
    };
  }

  /** Whether the log begins with changes from before the compacted revision. */
  #hasBefore(): boolean {
    const log = this.#log;
    return log.first < log.end && log.at(log.first).modRevision < this.#compacted;
  }

  /** Whether a change of the compacted revision itself still holds on to what it superseded. */
  #hasUncut(): boolean {
    const next = Math.max(this.#cutUpTo, this.#log.first);
    return next < this.#log.end && this.#log.at(next).modRevision <= this.#compacted;
  }

  #cutNext(): void {
    const next = Math.max(this.#cutUpTo, this.#log.first);
    this.#cut(this.#log.at(next));
    this.#cutUpTo = next + 1;
  }

  /**
   * The oldest change leaves the log. The version that it made lives on while it is what its key
   * was at the compacted revision; the one that it superseded is freed.
   */
  #trimFirst(): void {
    const version = this.#log.at(this.#log.first);
    this.#log.dropFirst();
    this.#cut(version);
    if (!isTombstone(version)) return;
    if (this.#index.get(version.key) === version) {
      this.#index.delete(version.key);
      this.#size -= sizeOfVersion(version);
    }
  }

  #cut(version: Version): void {
    if (version.previous === null) return;
    this.#size -= sizeOfVersion(version.previous);
    version.previous = null;
  }
}
