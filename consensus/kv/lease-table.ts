import { type Bytes, bytes } from '../../base/units.ts';
import { leaseOverhead } from './bounds.ts';
import type { ByteString } from './byte-string.ts';
import { type LeaseId, noLease } from './version.ts';

/** A promise to delete keys unless it is renewed. The store knows no clock: see `LeaseTable`. */
export interface Lease {
  readonly id: LeaseId;
  /** Seconds that it lasts without being renewed. */
  readonly ttl: number;
  /** How often it was renewed. An expiry names the count that it saw, and loses to a later renewal. */
  readonly renewals: number;
  /** The keys whose latest version has this lease. */
  readonly keys: ReadonlySet<ByteString>;
}

interface LeaseEntry extends Lease {
  renewals: number;
  readonly keys: Set<ByteString>;
}

/**
 * The leases and their keys. Time is kept outside: the leader's clock proposes to expire a lease,
 * and because renewals are commands of the same log, an acknowledged renewal always beats an expiry
 * that was decided before it.
 */
export class LeaseTable {
  readonly #leases = new Map<LeaseId, LeaseEntry>();

  get count(): number {
    return this.#leases.size;
  }

  /** The bytes that the leases are taken to occupy. */
  get size(): Bytes {
    return bytes(this.#leases.size * leaseOverhead);
  }

  get(id: LeaseId): Lease | undefined {
    return this.#leases.get(id);
  }

  /** All leases, in the order in which they were granted. */
  all(): Iterable<Lease> {
    return this.#leases.values();
  }

  /** Adds a lease; its id is not in use. */
  grant(id: LeaseId, ttl: number, renewals = 0): Lease {
    const lease = { id, ttl, renewals, keys: new Set<ByteString>() };
    this.#leases.set(id, lease);
    return lease;
  }

  /** Counts a renewal; undefined where there is no such lease. */
  renew(id: LeaseId): Lease | undefined {
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.renewals += 1;
    return lease;
  }

  remove(id: LeaseId): void {
    this.#leases.delete(id);
  }

  /** Moves a key from one lease to another; either may be `noLease` or gone. */
  move(key: ByteString, from: LeaseId, to: LeaseId): void {
    if (from === to) return;
    if (from !== noLease) this.#leases.get(from)?.keys.delete(key);
    if (to !== noLease) this.#leases.get(to)?.keys.add(key);
  }
}
