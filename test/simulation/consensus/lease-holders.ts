import type { Random } from '../../../base/random.ts';
import type { LeaseId } from '../../../consensus/kv/version.ts';
import type { Cast } from './cast.ts';
import type { LeaseBook } from './lease-book.ts';
import { propose } from './store-clients.ts';
import { putOf } from './store-requests.ts';
import type { World } from './world.ts';

/** What the holders of one pool share. */
export interface LeaseHolderParts {
  readonly world: World;
  readonly cast: Cast;
  readonly book: LeaseBook;
}

/** A client that is granted a lease, puts a key on it, renews it for a while, and lets it go. */
export class LeaseHolder {
  readonly #parts: LeaseHolderParts;
  readonly #random: Random;
  readonly #number: number;
  #leases = 0;
  #stopped = false;

  constructor(parts: LeaseHolderParts, random: Random, number: number) {
    this.#parts = parts;
    this.#random = random;
    this.#number = number;
  }

  start(): void {
    this.#live().catch((error) => this.#parts.world.fail(error));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #live(): Promise<void> {
    const { world } = this.#parts;
    while (!this.#stopped) {
      await world.pause(this.#random.below(500));
      this.#leases += 1;
      const id = BigInt(this.#number * 1000 + this.#leases) as LeaseId;
      if (await this.#grant(id)) await this.#hold(id);
    }
  }

  async #grant(id: LeaseId): Promise<boolean> {
    const { world, cast, book } = this.#parts;
    const { life } = this.#random.pick(cast.reachable);
    if (life === null) return false;
    const sent = world.now;
    const granted = await propose(life, { kind: 'grant', id, ttl: 2 });
    if (granted === 'refused' || granted === 'unknown' || granted.kind !== 'grant') return false;
    book.grantAcknowledged(id, granted.ttl, sent);
    await propose(life, putOf(`lease ${id}`, 'held', id));
    return true;
  }

  async #hold(id: LeaseId): Promise<void> {
    const { world, cast, book } = this.#parts;
    for (let renewals = this.#random.below(6); renewals > 0 && !this.#stopped; renewals -= 1) {
      await world.pause(200 + this.#random.below(900));
      const { life } = this.#random.pick(cast.reachable);
      const renewing = life?.database?.renewals ?? null;
      if (life === null || renewing === null) continue;
      const sent = world.now;
      const renewed = await Promise.race([renewing.renew(id), life.gone]);
      if (renewed?.ok === true && renewed.value > 0) book.renewalAcknowledged(id, sent);
    }
    if (!this.#random.chance(0.2)) return;
    const { life } = this.#random.pick(cast.reachable);
    if (life === null) return;
    book.givenUp(id);
    await propose(life, { kind: 'revoke', id });
  }
}
