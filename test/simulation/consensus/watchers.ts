import type { Random } from '../../../base/random.ts';
import type { ByteString } from '../../../consensus/kv/byte-string.ts';
import { inRange, type KeyRange } from '../../../consensus/kv/key-range.ts';
import type { Revision, Version } from '../../../consensus/kv/version.ts';
import type { Watcher } from '../../../consensus/kv/watch-hub.ts';
import type { Event } from '../../model/naive-store.ts';
import type { Bug } from './bugs.ts';
import type { Cast } from './cast.ts';
import type { Database } from './database.ts';
import type { Life } from './member.ts';
import { everyKey, oneKey } from './store-requests.ts';
import type { Truth } from './truth.ts';
import { briefly, Violation } from './violation.ts';
import type { World } from './world.ts';

/** What watchers of one pool share. */
export interface WatcherParts {
  readonly world: World;
  readonly cast: Cast;
  readonly truth: Truth;
  readonly bug: Bug | null;
}

/** The watch at one member, until the watcher moves on. */
interface OpenWatch {
  readonly life: Life;
  readonly database: Database;
  readonly watcher: Watcher;
  scheduled: boolean;
  /** A bug that can be seeded: what the member restored when this was last looked at. */
  restores: number;
}

/**
 * A client that watches a range from some revision on. When its member dies, or by a whim, it goes
 * on at another from the revision after the last that it has seen. Whatever happens, it must be
 * shown every change that is committed: in order, once, and all of a revision together.
 */
export class SimulatedWatcher {
  readonly #parts: WatcherParts;
  readonly #random: Random;
  readonly #range: KeyRange;
  #open: OpenWatch | null = null;
  /** The first revision that is still owed; null before the first watch was opened. */
  #next: number | null = null;
  /** Where in the true history the search for the next change goes on. */
  #position = 0;
  /** How many changes it was shown. */
  events = 0;

  constructor(parts: WatcherParts, random: Random) {
    this.#parts = parts;
    this.#random = random;
    const some: KeyRange = { kind: 'span', from: 'b' as ByteString, to: 'y' as ByteString };
    this.#range = random.pick([everyKey, everyKey, some, oneKey('a')]);
  }

  start(): void {
    this.#parts.world.after(this.#random.below(500), () => this.#look());
  }

  /** From time to time: is the member still there, and does the watcher still like it? */
  #look(): void {
    const open = this.#open;
    if (open !== null && (!isServing(open.life) || this.#random.chance(0.1))) this.#close(open);
    if (this.#open === null) this.#begin();
    this.#parts.world.after(20 + this.#random.below(300), () => this.#look());
  }

  #close({ database, watcher }: OpenWatch): void {
    database.store.watches.close(watcher);
    this.#open = null;
  }

  #begin(): void {
    const { life } = this.#random.pick(this.#parts.cast.reachable);
    const database = life?.database ?? null;
    if (life === null || database === null || !isServing(life)) return;
    const { store } = database;
    this.#next ??= this.#random.pick([
      store.revision + 1,
      Math.max(1, store.compacted),
      Math.max(1, store.revision - this.#random.below(20)),
    ]);
    const watcher = store.watches.open({
      range: this.#range,
      start: this.#next as Revision,
      puts: true,
      deletes: true,
      wake: () => this.#schedule(open),
    });
    const { restores } = database.machine;
    const open: OpenWatch = { life, database, watcher, scheduled: false, restores };
    this.#open = open;
    this.#schedule(open);
  }

  /** A watcher may be slow to take what it is told of. */
  #schedule(open: OpenWatch): void {
    if (open.scheduled) return;
    open.scheduled = true;
    const delay = this.#random.pick([0, 0, 1, 30, 200]);
    this.#parts.world.after(delay, () => {
      open.scheduled = false;
      if (open === this.#open && open.life.alive) this.#take(open);
    });
  }

  #take(open: OpenWatch): void {
    const taken = open.database.store.watches.take(open.watcher, this.#random.pick([1, 3, 100]));
    if (taken.kind === 'compacted') {
      this.#compacted(taken.compacted);
      this.#close(open);
      return;
    }
    const isForgetful = this.#parts.bug === 'watch-skips-after-restore';
    const { restores } = open.database.machine;
    if (!isForgetful || open.restores === restores) this.#shown(taken.versions);
    open.restores = restores;
    if (taken.more) this.#schedule(open);
  }

  #compacted(revision: number): void {
    const next = this.#next ?? 0;
    if (next >= revision || revision > this.#parts.truth.compacted)
      throw new Violation(`watch: it ended at ${next}, compacted up to ${revision}`);
    this.#next = revision;
  }

  #shown(versions: readonly Version[]): void {
    for (const version of versions) {
      const wanted = this.#nextEvent();
      const { key, modRevision, value } = version;
      const isRight =
        wanted?.key === key &&
        wanted.mod === modRevision &&
        wanted.value === value &&
        wanted.version === version.version;
      if (!isRight)
        throw new Violation(
          `watch: shown ${key}=${briefly(value)} of ${modRevision}, owed ${
            wanted === null ? 'nothing' : `${wanted.key}=${briefly(wanted.value)} of ${wanted.mod}`
          }`,
        );
      this.#position += 1;
      this.events += 1;
    }
    const last = versions.at(-1);
    if (last === undefined) return;
    this.#next = last.modRevision + 1;
    const rest = this.#nextEvent(last.modRevision);
    if (rest !== null)
      throw new Violation(`watch: only a part of revision ${last.modRevision} was shown`);
  }

  /** The next true change that this watcher is owed; at this revision, where one is given. */
  #nextEvent(at: number | null = null): Event | null {
    const { events } = this.#parts.truth;
    const first = at ?? this.#next ?? 0;
    for (let event = events[this.#position]; event !== undefined; ) {
      if (event.mod >= first && inRange(this.#range, event.key))
        return at === null || event.mod === at ? event : null;
      if (at !== null && event.mod > at) return null;
      this.#position += 1;
      event = events[this.#position];
    }
    return null;
  }

  /** After the calm: nothing is owed any more. */
  finish(): void {
    const owed = this.#next === null ? null : this.#nextEvent();
    if (owed !== null)
      throw new Violation(`watch: the change of ${owed.key} at ${owed.mod} was never shown`);
  }
}

/** Clients that must not miss anything leave a member that has no leader, as etcd's do. */
function isServing({ alive, node }: Life): boolean {
  const { leader, removed } = node.status();
  return alive && leader !== null && !removed;
}
