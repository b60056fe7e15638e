import type { MemberId } from '../../../consensus/core/ids.ts';
import type { SimulatedMember } from './member.ts';

/** Everybody who takes part, has taken part, or may do so. Ids are never used again. */
export class Cast {
  readonly #members: SimulatedMember[] = [];

  add(member: SimulatedMember): void {
    this.#members.push(member);
  }

  get everyone(): readonly SimulatedMember[] {
    return this.#members;
  }

  /** Those that clients may still turn to; never empty. */
  get reachable(): readonly SimulatedMember[] {
    return this.#members.filter(({ isGone }) => !isGone);
  }

  /** Who leads, or believes so. */
  get leader(): SimulatedMember | undefined {
    return this.#members.find(({ leads }) => leads);
  }

  get(id: MemberId): SimulatedMember | undefined {
    return this.#members.find((member) => member.id === id);
  }
}
