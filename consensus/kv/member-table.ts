import type { ByteString } from './byte-string.ts';

/** What a member of the pool database said of itself. Who is a member is Raft's to say. */
export interface MemberDescription {
  readonly member: number;
  readonly name: ByteString;
  readonly clientUrls: readonly ByteString[];
}

/**
 * The last description of each member that gave one. A description goes with its member, and what a
 * removed one still had under way comes too late.
 */
export class MemberTable {
  readonly #members = new Map<number, MemberDescription>();
  /** Who takes part; null while the log has not said so. */
  #present: ReadonlySet<number> | null = null;

  get(member: number): MemberDescription | undefined {
    return this.#members.get(member);
  }

  set(description: MemberDescription): void {
    if (this.#present?.has(description.member) === false) return;
    this.#members.set(description.member, description);
  }

  /** These take part from now on, and nobody else. */
  keep(members: readonly number[]): void {
    this.#present = new Set(members);
    for (const member of this.#members.keys())
      if (!this.#present.has(member)) this.#members.delete(member);
  }

  all(): Iterable<MemberDescription> {
    return this.#members.values();
  }
}
