import { randomInt } from 'node:crypto';
import { seededRandom } from '../base/random.ts';
import { milliseconds } from '../base/units.ts';
import { backOffDelay } from './back-off.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Change, Entry, PoolDatabase, Revision } from './database.ts';
import type { Failure } from './failure.ts';
import { applyChange, snapshot } from './follow.ts';

/** How long a mirror waits before it reads anew after a failure. */
const retry = { first: milliseconds(100), most: milliseconds(5_000) };

/** Changes that a mirror has just taken in, all of one revision. */
export interface MirrorBatch {
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

/** How to make a mirror. */
export interface MirrorSettings {
  readonly signal: AbortSignal;
  /** Called after the entries have changed: first with all there is, then for each transaction. */
  readonly onBatch?: (batch: MirrorBatch) => void;
  /** Told when the database could not be read; the mirror tries again. */
  readonly onFailure?: (failure: Failure) => void;
  readonly clock?: Clock;
}

/** A local copy of everything below some prefixes, which follows the database for ever. */
export interface Mirror {
  readonly entries: ReadonlyMap<string, Entry>;
  /** What the copy shows; 0 before it was first read. */
  readonly revision: Revision;
  /** Resolves when it has first been read; never if the signal aborts before. */
  readonly synced: Promise<void>;
}

/**
 * Starts a mirror. Where the history it needs is gone it reads everything anew, and reports what is
 * different as changes of one batch: its user never misses the last state of a key.
 */
export function mirror(
  database: PoolDatabase,
  prefixes: readonly string[],
  settings: MirrorSettings,
): Mirror {
  const { signal, clock = systemClock } = settings;
  const entries = new Map<string, Entry>();
  const random = seededRandom(randomInt(2 ** 32));
  let revision = 0 as Revision;
  let resolveSynced = () => {};
  const synced = new Promise<void>((resolve) => {
    resolveSynced = resolve;
  });
  const take = (batch: MirrorBatch) => {
    for (const change of batch.changes) applyChange(entries, change);
    revision = batch.revision;
    if (!signal.aborted) settings.onBatch?.(batch);
  };
  const followOnce = async (): Promise<Failure | null> => {
    const read = await snapshot(database, prefixes);
    if (!read.ok) return read.error;
    if (signal.aborted) return null;
    take({ revision: read.value.revision, changes: difference(entries, read.value.entries) });
    resolveSynced();
    for await (const batch of database.watch({ prefixes, after: revision, signal })) {
      if (batch.kind === 'failed') return batch.failure;
      if (batch.kind === 'changes') take(batch);
      else revision = batch.revision;
    }
    return null;
  };
  const followForever = async () => {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const before = revision;
      const failure = await followOnce();
      if (failure === null || signal.aborted) continue;
      settings.onFailure?.(failure);
      if (revision !== before) attempt = 1;
      await clock.sleep(backOffDelay(retry, attempt, random), signal);
    }
  };
  void followForever();
  return {
    entries,
    synced,
    get revision() {
      return revision;
    },
  };
}

/** The changes that turn what is known into what there is. */
function difference(known: ReadonlyMap<string, Entry>, present: readonly Entry[]): Change[] {
  const keys = new Set(present.map((entry) => entry.key));
  const deleted = [...known.values()]
    .filter((entry) => !keys.has(entry.key))
    .map((entry): Change => ({ kind: 'delete', key: entry.key, previous: entry }));
  const put = present
    .filter((entry) => known.get(entry.key)?.modRevision !== entry.modRevision)
    .map((entry): Change => ({ kind: 'put', entry, previous: known.get(entry.key) ?? null }));
  return [...deleted, ...put];
}
