import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** By how much a member's clock may be wrong: it runs at 0.9 to 1.1 of the right pace. */
export const clockDrift = 0.1;

/** What clients were promised of one lease. */
interface Promised {
  readonly ttl: number;
  /** When the client sent the newest grant or renewal that was acknowledged. */
  since: number;
}

/** What was promised of leases: none may end before its time, by a clock that is never wrong. */
export class LeaseBook {
  readonly #world: World;
  readonly #promised = new Map<bigint, Promised>();
  /** Leases that were granted, and those of them that expired. */
  granted = 0;
  expiries = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** A grant that was sent at `sent` has been acknowledged. */
  grantAcknowledged(id: bigint, ttl: number, sent: number): void {
    this.granted += 1;
    this.#promised.set(id, { ttl, since: sent });
  }

  /** A renewal that was sent at `sent` has been acknowledged, with time left. */
  renewalAcknowledged(id: bigint, sent: number): void {
    const promised = this.#promised.get(id);
    if (promised !== undefined) promised.since = Math.max(promised.since, sent);
  }

  /** The client gives the lease up itself: from now on it may end at any time. */
  givenUp(id: bigint): void {
    this.#promised.delete(id);
  }

  /** Some member has applied the expiry of these leases. */
  expired(ids: readonly bigint[]): void {
    for (const id of ids) {
      const promised = this.#promised.get(id);
      if (promised === undefined) continue;
      const { now } = this.#world;
      const end = promised.since + (promised.ttl * 1000) / (1 + clockDrift);
      if (now < end)
        throw new Violation(
          `lease ${id} of ${promised.ttl} s was to last until ${end.toFixed(0)} ms at least, and expired at ${now.toFixed(0)} ms`,
        );
      this.#promised.delete(id);
      this.expiries += 1;
    }
  }
}
