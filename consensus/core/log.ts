import { assert, present } from '../../base/assert.ts';
import type { Configuration } from './configuration.ts';
import { type Entry, entrySize, type Position, type SnapshotMeta } from './entry.ts';
import { earlier, type LogIndex, later, logIndex, type Term, term } from './ids.ts';
import { packableSize, packCommands } from './pack-commands.ts';

/**
 * Bytes of commands that are packed at a time, once twice as many lie about: by then those in front
 * were sent, written and applied. malloc keeps so much apart, and gives it back when it is free.
 */
const packBytes = 256 * 2 ** 10;

/** A configuration, and where in the log it stands. */
interface Placed {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/**
 * The entries that a member holds in memory: everything after `base`, the place up to which the
 * log was compacted. It also knows which entries are durable, and which configuration is in force.
 */
export class Log {
  #base: Position;
  #entries: Entry[];
  #durable: LogIndex;
  #handedOut: LogIndex;
  /** The commands up to here are packed; those after it have so many bytes. */
  #packed: LogIndex;
  #looseBytes = 0;
  /** Oldest first, never empty: those that entries still hold, and the one in force before them. */
  #configurations: Placed[];
  /** The last of them: every step looks at it several times. */
  #newest: Placed;

  /**
   * `entries` follow `base` without a gap and are durable. `snapshot` is where `base` is, or
   * within `entries`; its configuration is in force there.
   */
  constructor(base: Position, entries: readonly Entry[], snapshot: SnapshotMeta) {
    this.#base = base;
    this.#entries = [];
    this.#packed = base.index;
    this.#newest = { index: snapshot.index, configuration: snapshot.configuration };
    this.#configurations = [this.#newest];
    for (const entry of entries) this.#push(entry);
    this.#durable = this.lastIndex;
    this.#handedOut = this.lastIndex;
  }

  /** The place before the first entry that is still here. */
  get base(): Position {
    return this.#base;
  }

  get lastIndex(): LogIndex {
    return this.#entries.at(-1)?.index ?? this.#base.index;
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#base.term;
  }

  /** Everything up to here survives a crash. */
  get durable(): LogIndex {
    return this.#durable;
  }

  /** The newest configuration in the log, committed or not. */
  get configuration(): Configuration {
    return this.#newest.configuration;
  }

  /** Where the newest configuration stands. */
  get configurationIndex(): LogIndex {
    return this.#newest.index;
  }

  /** The configuration in force at `index`, which is not before the base. */
  configurationAt(index: LogIndex): Configuration {
    const found = this.#configurations.findLast((item) => item.index <= index);
    return (found ?? present(this.#configurations[0], 'a log has a configuration')).configuration;
  }

  /** The configuration that the one at `index` followed; the oldest that is known, at least. */
  configurationBefore(index: LogIndex): Configuration {
    return this.configurationAt(logIndex(index - 1));
  }

  /** The term of the entry at `index`; null where it was compacted or is not there yet. */
  termAt(index: LogIndex): Term | null {
    if (index === this.#base.index) return this.#base.term;
    return this.#entries[index - this.#base.index - 1]?.term ?? null;
  }

  /** Whether the entry at `index` is here and has this term. */
  matches(index: LogIndex, expected: Term): boolean {
    return this.termAt(index) === expected;
  }

  /** Whether a log that ends at (`index`, `lastTerm`) has at least what this one has (3.6.1). */
  isUpToDate(index: LogIndex, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && index >= this.lastIndex);
  }

  /** The last place at or before `index` whose term is at most `limit` (3.5, the faster way back). */
  lastPlaceUpTo(index: LogIndex, limit: Term): Position {
    let at = earlier(index, this.lastIndex);
    while (at > this.#base.index) {
      const found = present(this.termAt(at), 'an index between base and end has an entry');
      if (found <= limit) return { index: at, term: found };
      at = logIndex(at - 1);
    }
    return index < this.#base.index ? { index, term: term(0) } : this.#base;
  }

  /** Entries from `first` on, as many as fit both bounds but at least one if there is one. */
  read(first: LogIndex, bytesMax: number, entriesMax: number): readonly Entry[] {
    const start = first - this.#base.index - 1;
    assert(start >= 0, `entry ${first} was compacted`);
    let end = start;
    let size = 0;
    for (; end < this.#entries.length && end - start < entriesMax; end += 1) {
      size += entrySize(present(this.#entries[end], 'the index is within the log'));
      if (size > bytesMax && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  /** The place up to which the log may be compacted so that these bounds of it stay before `end`. */
  trailingStart(end: LogIndex, bytesMax: number, entriesMax: number): LogIndex {
    let at = end;
    let size = 0;
    while (at > this.#base.index && end - at < entriesMax) {
      size += entrySize(present(this.#entries[at - this.#base.index - 1], 'it is in the log'));
      if (size > bytesMax) break;
      at = logIndex(at - 1);
    }
    return at;
  }

  /** Adds entries at the end. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) this.#push(entry);
  }

  /**
   * Takes entries of a leader that follow a place where both logs agree. What is already here
   * stays; the first entry that differs, and all after it, give way (3.5). Returns the first
   * index that gave way, or null.
   */
  merge(entries: readonly Entry[]): LogIndex | null {
    const fresh = entries.findIndex((entry) => !this.matches(entry.index, entry.term));
    if (fresh === -1) return null;
    const first = present(entries[fresh], 'it was found').index;
    const conflict = first <= this.lastIndex ? first : null;
    if (conflict !== null) this.#truncate(logIndex(first - 1));
    this.append(entries.slice(fresh));
    return conflict;
  }

  /** Entries that nobody was asked to make durable yet; they count as asked for from now on. */
  takeUnwritten(): readonly Entry[] {
    const entries = this.#entries.slice(this.#handedOut - this.#base.index);
    this.#handedOut = this.lastIndex;
    return entries;
  }

  /** Everything up to `index` is durable now. */
  markDurable(index: LogIndex): void {
    assert(index <= this.lastIndex, 'what is durable is in the log');
    this.#durable = later(this.#durable, index);
  }

  /** Forgets the entries up to `index`, which a snapshot stands for. */
  compact(index: LogIndex): void {
    if (index <= this.#base.index) return;
    assert(index <= this.#handedOut, 'entries are handed out before they are compacted');
    const at = present(this.termAt(index), 'compaction ends within the log');
    this.#entries = this.#entries.slice(index - this.#base.index);
    this.#base = { index, term: at };
    this.#durable = later(this.#durable, index);
    if (index > this.#packed) this.#startLooseAt(index);
    while (this.#configurations.length > 1 && (this.#configurations[1]?.index ?? 0) <= index)
      this.#configurations.shift();
  }

  /** Replaces everything by a snapshot's place. */
  reset(snapshot: SnapshotMeta): void {
    this.#base = { index: snapshot.index, term: snapshot.term };
    this.#entries = [];
    this.#newest = { index: snapshot.index, configuration: snapshot.configuration };
    this.#configurations = [this.#newest];
    this.#durable = snapshot.index;
    this.#handedOut = snapshot.index;
    this.#startLooseAt(snapshot.index);
  }

  #push(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, `entry ${entry.index} leaves a gap in the log`);
    assert(entry.term >= this.lastTerm, 'terms do not fall along the log');
    this.#entries.push(entry);
    this.#looseBytes += packableSize(entry);
    if (this.#looseBytes >= 2 * packBytes) this.#pack();
    if (entry.payload.kind !== 'configuration') return;
    // What a snapshot already told of is not told again when the entries around it are loaded.
    if (entry.index <= this.configurationIndex) return;
    this.#newest = { index: entry.index, configuration: entry.payload.configuration };
    this.#configurations.push(this.#newest);
  }

  #truncate(last: LogIndex): void {
    this.#entries.length = last - this.#base.index;
    this.#durable = earlier(this.#durable, last);
    this.#handedOut = earlier(this.#handedOut, last);
    this.#startLooseAt(earlier(this.#packed, last));
    while (this.configurationIndex > last && this.#configurations.length > 1) {
      this.#configurations.pop();
      this.#newest = present(this.#configurations.at(-1), 'a log has a configuration');
    }
  }
  /** Packs the older commands of those that are loose. */
  #pack(): void {
    const start = this.#packed - this.#base.index;
    let end = start;
    for (let size = 0; size < packBytes && end < this.#entries.length; end += 1)
      size += packableSize(present(this.#entries[end], 'it is in the log'));
    const packed = packCommands(this.#entries.slice(start, end));
    for (const [at, entry] of packed.entries()) this.#entries[start + at] = entry;
    this.#startLooseAt(logIndex(this.#base.index + end));
  }

  #startLooseAt(packed: LogIndex): void {
    this.#packed = packed;
    const loose = this.#entries.slice(packed - this.#base.index);
    this.#looseBytes = loose.reduce((sum, entry) => sum + packableSize(entry), 0);
  }
}
