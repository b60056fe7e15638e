import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import { storeBounds } from '../../kv/bounds.ts';
import type { Lease } from '../../kv/lease-table.ts';
import type { Command } from '../../kv/request.ts';
import type { LeaseObserver } from '../../kv/store.ts';
import type { LeaseId } from '../../kv/version.ts';
import type { Clock } from '../../ports.ts';
import type { ReplicaStatus } from '../../replica.ts';
import type { EtcdMember } from './member.ts';

/** How exactly a lease ends: after its time by up to this, and the time of a commit. */
const tickInterval = milliseconds(250);

/** Time that passes between two ticks counts up to this: a stall of the process is not counted. */
const longestTick = milliseconds(2 * tickInterval);

/**
 * The time that leases have left, on every member; where the member leads, it proposes to expire
 * those that have none.
 *
 * No lease ends early. Its time begins when the grant or the renewal is *applied* here, which is
 * after the client sent it. A new leader gives every lease its whole TTL, since it does not know
 * when the last leader renewed it. And an expiry names the renewals that it has seen: one that was
 * acknowledged meanwhile is in the log before it, and defeats it.
 */
export class LeaseClock implements LeaseObserver {
  readonly #member: EtcdMember;
  readonly #clock: Clock;
  readonly #ends = new Map<LeaseId, Milliseconds>();
  /** The leases by the tick in which they end. */
  readonly #calendar = new Map<number, Set<LeaseId>>();
  readonly #stops: (() => void)[];
  /** Time that this process has seen pass. */
  #now = milliseconds(0);
  #lastTick: Milliseconds;
  /** The first tick whose leases were not looked at. */
  #nextTick = 0;
  /** The term of the last leader that was known. */
  #term: number;
  #proposing = false;

  constructor(member: EtcdMember, clock: Clock) {
    this.#member = member;
    this.#clock = clock;
    this.#lastTick = clock.now();
    this.#term = member.replica.status().term;
    this.#stops = [
      clock.every(tickInterval, () => void this.#tick()),
      member.replica.onStatus((status) => this.#statusChanged(status)),
    ];
    member.store.observeLeases(this);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** How long the lease lasts yet if it is not renewed; on followers, an estimate. Never below 0. */
  remaining(id: LeaseId): Milliseconds {
    return milliseconds(Math.max(0, (this.#ends.get(id) ?? 0) - this.#now));
  }

  onLeaseAlive(lease: Lease): void {
    this.#forget(lease.id);
    const end = milliseconds(this.#elapsed() + lease.ttl * 1000);
    this.#ends.set(lease.id, end);
    this.#plan(lease.id, tickOf(end));
  }

  onLeaseGone(id: LeaseId): void {
    this.#forget(id);
  }

  onLeasesReplaced(leases: Iterable<Lease>): void {
    this.#ends.clear();
    this.#calendar.clear();
    for (const lease of leases) this.onLeaseAlive(lease);
  }

  #elapsed(): Milliseconds {
    const passed = Math.min(this.#clock.now() - this.#lastTick, longestTick);
    return milliseconds(this.#now + passed);
  }

  #plan(id: LeaseId, tick: number): void {
    const planned = this.#calendar.get(tick);
    if (planned === undefined) this.#calendar.set(tick, new Set([id]));
    else planned.add(id);
  }

  #forget(id: LeaseId): void {
    const end = this.#ends.get(id);
    if (end === undefined) return;
    this.#ends.delete(id);
    const tick = tickOf(end);
    const planned = this.#calendar.get(tick);
    planned?.delete(id);
    if (planned?.size === 0) this.#calendar.delete(tick);
  }

  /** Who was elected again gives them their whole time too: meanwhile they could not be renewed. */
  #statusChanged({ leader, term }: ReplicaStatus): void {
    if (term === this.#term || leader === null) return;
    this.#term = term;
    this.onLeasesReplaced(this.#member.store.leases());
  }

  async #tick(): Promise<void> {
    this.#now = this.#elapsed();
    this.#lastTick = this.#clock.now();
    const { role } = this.#member.replica.status();
    if (role !== 'leader' || this.#proposing) return;
    const due = this.#due();
    if (due.leases.length === 0) return;
    this.#proposing = true;
    // What does not succeed stays in the calendar, and is proposed again at the next tick.
    await this.#member.propose<'expire'>(due);
    this.#proposing = false;
  }

  /** The leases that have no time left, as many as fit one command. */
  #due(): Extract<Command, { readonly kind: 'expire' }> {
    const leases: { id: LeaseId; renewals: number }[] = [];
    const last = tickOf(this.#now);
    let isEmptySoFar = true;
    for (let tick = this.#nextTick; tick < last; tick += 1) {
      const planned = this.#calendar.get(tick);
      if (planned === undefined) {
        if (isEmptySoFar) this.#nextTick = tick + 1;
        continue;
      }
      isEmptySoFar = false;
      for (const id of planned) {
        const lease = this.#member.store.lease(id);
        if (lease === undefined) continue;
        leases.push({ id, renewals: lease.renewals });
        if (leases.length >= storeBounds.leasesPerCommand) return { kind: 'expire', leases };
      }
    }
    return { kind: 'expire', leases };
  }
}

/** A lease that ends within a tick is due when the tick is over. */
function tickOf(moment: Milliseconds): number {
  return Math.floor(moment / tickInterval);
}
