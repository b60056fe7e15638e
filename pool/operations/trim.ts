import type { Milliseconds } from '../../base/units.ts';
import { milliseconds } from '../../base/units.ts';
import type { Clock } from '../clock.ts';
import type { Entry } from '../database.ts';
import type { Failure } from '../failure.ts';
import type { Pool } from '../pool.ts';
import type { OperationRecord } from '../records/operation.ts';
import { isEnded } from './core.ts';

/** How often ended operations are counted. */
const interval: Milliseconds = milliseconds(30_000);

/** Operations removed by one transaction: with their requests' ids less than etcd's 128 writes. */
const batchSize = 50;

/** What to trim. */
export interface TrimSettings {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A copy of the operations, by key. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** How many ended operations stay. */
  readonly bound: number;
  readonly onFailure: (failure: Failure) => void;
}

/** Removes the oldest ended operations beyond a bound, now and then, until the signal aborts. */
export async function trimEnded(settings: TrimSettings): Promise<void> {
  const { clock, signal, onFailure, pool } = settings;
  for (;;) {
    await clock.sleep(interval, signal);
    if (signal.aborted) return;
    if (settings.entries.size <= settings.bound) continue;
    const surplus = surplusOf(settings).slice(0, batchSize);
    if (surplus.length === 0) continue;
    const writes = surplus.flatMap(({ id, service, requestId }) => [
      pool.operationsOf(service).remove(id),
      ...(requestId === '' ? [] : [pool.requestsOf(service).remove(requestId)]),
    ]);
    const removed = await pool.database.transact({ comparisons: [], writes });
    if (!removed.ok) onFailure(removed.error);
  }
}

/** Oldest first. What cannot be read is left for people to look at. */
function surplusOf({ pool, entries, bound }: TrimSettings): readonly OperationRecord[] {
  const ended: OperationRecord[] = [];
  for (const entry of entries.values()) {
    const stored = pool.operations.decode(entry);
    if (stored.ok && isEnded(stored.value.record)) ended.push(stored.value.record);
  }
  ended.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  return ended.slice(0, Math.max(ended.length - bound, 0));
}
