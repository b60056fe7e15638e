import { randomInt } from 'node:crypto';
import { type Random, seededRandom } from '../base/random.ts';
import { ok, type Result } from '../base/result.ts';
import { type Milliseconds, milliseconds } from '../base/units.ts';
import { backOffDelay } from './back-off.ts';
import { type Clock, systemClock } from './clock.ts';
import { commit } from './commit.ts';
import type { Failure } from './failure.ts';
import { type HeldLease, holdLease } from './lease.ts';
import type { Pool } from './pool.ts';
import type { HostRecord } from './records/host.ts';
import type { Timestamp } from './records/identifiers.ts';
import { writing } from './transaction.ts';

/**
 * After this without a renewal the host is down for everybody else: longer than an election with
 * some retries, shorter than people wait before they act themselves.
 */
export const hostLeaseTtl = milliseconds(10_000);

/** Between attempts to register. */
const retry = { first: milliseconds(200), most: milliseconds(3_000) };

/** How long a host that closes waits for the database to take its lease back; it ends by itself. */
const releasePatience = milliseconds(2_000);

/** How to register a host. */
export interface HostSessionSettings {
  readonly pool: Pool;
  readonly host: HostRecord;
  readonly clock?: Clock;
  readonly random?: Random;
  /** `up`: it is registered and holds its lease. `lost`: it does not, for others it is down. */
  readonly onState?: (state: 'up' | 'lost') => void;
  /** Told of what is tried again. */
  readonly onFailure?: (failure: Failure) => void;
}

/** A host's presence in the pool. */
export interface HostSession {
  /**
   * Until when the host is up for certain, on the clock's `now`; null while it holds no lease. Past
   * it others may take over what runs here.
   */
  heldUntil(): Milliseconds | null;
  /** Releases the lease, so that the host is down at once, and resolves when that is done. */
  close(): Promise<void>;
}

/** Registers a host and keeps its lease; when the lease is lost it registers anew, for ever. */
export function hostSession(settings: HostSessionSettings): HostSession {
  const { clock = systemClock, onState, onFailure } = settings;
  const random = settings.random ?? seededRandom(randomInt(2 ** 32));
  const closing = new AbortController();
  let lease: HeldLease | null = null;
  const keep = async () => {
    for (let attempt = 1; !closing.signal.aborted; attempt += 1) {
      const registered = await register(settings, clock);
      if (!registered.ok) {
        onFailure?.(registered.error);
        await clock.sleep(backOffDelay(retry, attempt, random), closing.signal);
        continue;
      }
      attempt = 0;
      lease = registered.value;
      if (!closing.signal.aborted) onState?.('up');
      await aborted(AbortSignal.any([lease.lost, closing.signal]));
      const isLost = lease.lost.aborted;
      if (closing.signal.aborted) await release(lease, clock);
      lease = null;
      if (isLost) onState?.('lost');
    }
  };
  const keeping = keep();
  return {
    heldUntil: () => lease?.heldUntil() ?? null,
    close: () => {
      closing.abort();
      return keeping;
    },
  };
}

/** Writes the host's record, and its mark under a lease, in one transaction. */
async function register(
  { pool, host, onFailure }: HostSessionSettings,
  clock: Clock,
): Promise<Result<HeldLease, Failure>> {
  const known = await pool.hosts.get(host.id);
  if (!known.ok) return known;
  const held = await holdLease(pool.database, hostLeaseTtl, {
    clock,
    ...(onFailure === undefined ? {} : { onFailure }),
  });
  if (!held.ok) return held;
  const since = clock.wall() as number as Timestamp;
  const committed = await commit(
    pool.database,
    known.value === null ? pool.hosts.creating(host) : pool.hosts.replacing(known.value, host),
    writing(pool.hostLeases.put(host.id, { since }, held.value.id)),
  );
  if (committed.ok) return ok(held.value);
  await held.value.release();
  return committed;
}

async function release(lease: HeldLease, clock: Clock): Promise<void> {
  const done = new AbortController();
  const released = lease.release().then(() => done.abort());
  await Promise.race([released, clock.sleep(releasePatience, done.signal)]);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
