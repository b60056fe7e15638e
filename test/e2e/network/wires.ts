import { present } from '../../../base/assert.ts';
import type { MemberAddress } from '../consensus-cluster.ts';
import { type Direction, Wire } from './wire.ts';

/** How members are kept from each other. */
export type Separation =
  /** Connections are closed, and refused. */
  | 'closed'
  /** Nothing passes either way, and nobody is told. */
  | 'silent'
  /** The separated hear everything and are not heard. */
  | 'mute'
  /** The separated are heard and hear nothing. */
  | 'deaf';

/** One wire from each member of a cluster to each other one. */
export class Wires {
  readonly #wires: ReadonlyMap<string, Wire>;

  private constructor(wires: ReadonlyMap<string, Wire>) {
    this.#wires = wires;
  }

  static async between(addresses: readonly MemberAddress[]): Promise<Wires> {
    const wires = new Map<string, Wire>();
    for (const from of addresses.keys())
      for (const [to, { peer }] of addresses.entries())
        if (from !== to) wires.set(nameOf(from, to), await Wire.to(peer));
    return new Wires(wires);
  }

  /** The address at which one member reaches another. */
  route(from: number, to: number): string {
    return this.#wire(from, to).address;
  }

  /** Keeps some members from all others of `count`, and the others from them. */
  separate(members: readonly number[], count: number, how: Separation): void {
    for (let other = 0; other < count; other += 1) {
      if (members.includes(other)) continue;
      for (const member of members) {
        this.#hinder(this.#wire(member, other), how, ['outward', 'homeward']);
        this.#hinder(this.#wire(other, member), how, ['homeward', 'outward']);
      }
    }
  }

  /** Keeps two members from each other, while both reach the rest. */
  part(one: number, other: number, how: Separation): void {
    this.#hinder(this.#wire(one, other), how, ['outward', 'homeward']);
    this.#hinder(this.#wire(other, one), how, ['homeward', 'outward']);
  }

  heal(): void {
    for (const wire of this.#wires.values()) wire.heal();
  }

  close(): void {
    for (const wire of this.#wires.values()) wire.close();
  }

  /** `directions`: away from the separated, and towards them. */
  #hinder(wire: Wire, how: Separation, [away, towards]: readonly [Direction, Direction]): void {
    switch (how) {
      case 'closed':
        wire.cut();
        return;
      case 'silent':
        wire.stall(away, towards);
        return;
      case 'mute':
        wire.stall(away);
        return;
      case 'deaf':
        wire.stall(towards);
    }
  }

  #wire(from: number, to: number): Wire {
    return present(this.#wires.get(nameOf(from, to)), 'each member has a wire to each other');
  }
}

function nameOf(from: number, to: number): string {
  return `${from}-${to}`;
}
