import { type Configuration, configurationOf, membersOf } from '../../core/configuration.ts';
import { type LogIndex, logIndex, type MemberId } from '../../core/ids.ts';
import type { Greeted } from './greeting.ts';

/**
 * Most callers whose own word is taken for where they listen: more than a pool has members. The
 * word of others is not needed once the log has told.
 */
const guestsMax = 32;

/**
 * Where the other members listen. The configuration says so, but a member whose log is behind or
 * empty must answer whoever brings it the rest: so a caller's own word counts for as long as it is
 * connected, where the configuration does not name it, or is older than the caller's.
 */
export class AddressBook {
  readonly #self: MemberId;
  readonly #first: ReadonlyMap<MemberId, string>;
  readonly #guests = new Map<MemberId, Greeted>();
  /** Where members listened before they were said to have moved: they may not have moved yet. */
  readonly #former = new Map<MemberId, readonly string[]>();
  #configuration: Configuration = configurationOf([]);
  #index: LogIndex = logIndex(0);

  /** `first`: where members listen whose address no configuration tells, as in version 1. */
  constructor(self: MemberId, first: ReadonlyMap<MemberId, string> = new Map()) {
    this.#self = self;
    this.#first = first;
  }

  /** Where in the log the configuration stands. */
  get index(): LogIndex {
    return this.#index;
  }

  configure(configuration: Configuration, index: LogIndex): void {
    const members = membersOf(configuration);
    const before = new Map(members.map((member) => [member, this.#told(member)]));
    this.#configuration = configuration;
    this.#index = index;
    for (const [member, addresses] of before)
      if (addresses.join() !== this.#told(member).join()) this.#former.set(member, addresses);
    for (const member of this.#former.keys())
      if (!members.includes(member)) this.#former.delete(member);
  }

  /** A caller was accepted. */
  met(greeted: Greeted): void {
    this.#guests.delete(greeted.member);
    if (greeted.address !== null && this.#guests.size < guestsMax)
      this.#guests.set(greeted.member, greeted);
  }

  /** The caller's stream has ended; it may have called again in the meantime. */
  left(greeted: Greeted): void {
    if (this.#guests.get(greeted.member) === greeted) this.#guests.delete(greeted.member);
  }

  /** Where the configuration says that this member listens, if it does. */
  get ownAddress(): string | null {
    return this.#told(this.#self)[0] ?? null;
  }

  /** Where to reach each other member, as far as that is known; the first is tried first. */
  addresses(): ReadonlyMap<MemberId, readonly string[]> {
    const found = new Map<MemberId, readonly string[]>();
    for (const member of membersOf(this.#configuration)) {
      const told = [...new Set([...this.#told(member), ...(this.#former.get(member) ?? [])])];
      if (member !== this.#self && told.length > 0) found.set(member, told);
    }
    for (const { member, address, configurationIndex } of this.#guests.values())
      if (address !== null && (!found.has(member) || configurationIndex > this.#index))
        found.set(member, [address]);
    return found;
  }

  #told(member: MemberId): readonly string[] {
    const told = this.#configuration.addresses.find((each) => each.member === member)?.peers;
    const first = this.#first.get(member);
    return told ?? (first === undefined ? [] : [first]);
  }
}
