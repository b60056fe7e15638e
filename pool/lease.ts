import { ok, type Result } from '../base/result.ts';
import { type Milliseconds, milliseconds } from '../base/units.ts';
import type { Clock } from './clock.ts';
import type { Lease, LeaseId, PoolDatabase } from './database.ts';
import type { Failure } from './failure.ts';

/** A lease is renewed this often in its time: two renewals may fail before it is at stake. */
const renewalsPerLease = 3;

/** Wait between renewals after one has failed. */
const retryInterval = milliseconds(500);

/** What a held lease is kept with. */
export interface LeaseSettings {
  readonly clock: Clock;
  /** Told of each renewal that failed; the lease may still hold. */
  readonly onFailure?: (failure: Failure) => void;
}

/** A lease that is renewed until it is released or lost. */
export interface HeldLease {
  readonly id: LeaseId;
  /**
   * Until when the lease holds for certain, on the clock's `now`: a renewal counts from when it was
   * asked for, as the database may have granted it at that moment.
   */
  heldUntil(): Milliseconds;
  /** Aborts when the lease has ended, or may have: `heldUntil` is over. */
  readonly lost: AbortSignal;
  /** Ends it in the database as well. */
  release(): Promise<void>;
}

/** Obtains a lease and keeps it. */
export async function holdLease(
  database: PoolDatabase,
  ttl: Milliseconds,
  settings: LeaseSettings,
): Promise<Result<HeldLease, Failure>> {
  const { clock } = settings;
  const asked = clock.now();
  const granted = await database.grantLease(ttl);
  if (!granted.ok) return granted;
  const { id } = granted.value;
  const lost = new AbortController();
  const released = new AbortController();
  let until = endOf(asked, granted.value);
  const renew = async (): Promise<boolean> => {
    const started = clock.now();
    const renewed = await Promise.race([
      database.renewLease(id),
      expiry(clock, until, released.signal),
    ]);
    if (renewed === null) return false;
    if (renewed.ok) until = endOf(started, renewed.value);
    else settings.onFailure?.(renewed.error);
    if (!renewed.ok && renewed.error.reason === 'NOT_FOUND') until = clock.now();
    return renewed.ok;
  };
  const keep = async () => {
    let wait = milliseconds(ttl / renewalsPerLease);
    while (!released.signal.aborted) {
      const left = until - clock.now();
      if (left <= 0) return lost.abort();
      await clock.sleep(milliseconds(Math.min(wait, left)), released.signal);
      if (released.signal.aborted) return undefined;
      const isRenewed = await renew();
      wait = isRenewed ? milliseconds(ttl / renewalsPerLease) : retryInterval;
    }
    return undefined;
  };
  const keeping = keep();
  return ok({
    id,
    heldUntil: () => until,
    lost: lost.signal,
    release: async () => {
      released.abort();
      await keeping;
      await database.revokeLease(id);
    },
  });
}

function endOf(asked: Milliseconds, lease: Lease): Milliseconds {
  return milliseconds(asked + lease.ttl);
}

/** Resolves with null at a time, or when the signal aborts: an answer that comes later is too late. */
async function expiry(clock: Clock, until: Milliseconds, signal: AbortSignal): Promise<null> {
  await clock.sleep(milliseconds(Math.max(until - clock.now(), 0)), signal);
  return null;
}
