import { randomUUID } from 'node:crypto';
import { ok, type Result } from '../base/result.ts';
import { type Milliseconds, milliseconds } from '../base/units.ts';
import { type Clock, systemClock } from './clock.ts';
import type { LeaseId } from './database.ts';
import type { Failure } from './failure.ts';
import type { Pool } from './pool.ts';
import type { EventRecord } from './records/event.ts';
import type { Timestamp } from './records/identifiers.ts';
import { writing } from './transaction.ts';

/** How long an event is kept at least, and how long one lease is given to new events. */
const kept = milliseconds(24 * 3600 * 1000);
const leaseSpan = milliseconds(3600 * 1000);

/** What happened. */
export type NewEvent = Pick<EventRecord, 'severity' | 'resource' | 'message'>;

/** Writes what happened for operators to read. */
export interface EventWriter {
  /** Records an event. Its failure is for the caller's log: nothing else depends on it. */
  write(event: NewEvent): Promise<Result<void, Failure>>;
}

/** Makes a writer. Events of one hour share a lease, so that a busy pool has few of them. */
export function eventWriter(pool: Pool, clock: Clock = systemClock): EventWriter {
  let current: { readonly id: LeaseId; readonly until: Milliseconds } | null = null;
  const lease = async (): Promise<Result<LeaseId, Failure>> => {
    if (current !== null && clock.now() < current.until) return ok(current.id);
    const granted = await pool.database.grantLease(milliseconds(kept + leaseSpan));
    if (!granted.ok) return granted;
    current = { id: granted.value.id, until: milliseconds(clock.now() + leaseSpan) };
    return ok(current.id);
  };
  return {
    write: async (event) => {
      const under = await lease();
      if (!under.ok) return under;
      const record = { id: randomUUID(), time: clock.wall() as number as Timestamp, ...event };
      const put = pool.events.put(eventId(record), record, under.value);
      const written = await pool.database.transact(writing(put));
      if (!written.ok && written.error.reason === 'NOT_FOUND') current = null;
      return written.ok ? ok(undefined) : written;
    },
  };
}

/** An event's id among the keys: in the order of time. */
export function eventId({ time, id }: Pick<EventRecord, 'time' | 'id'>): string {
  return `${String(time).padStart(15, '0')}-${id}`;
}
