import type { ByteString } from './byte-string.ts';

/** What a member of the pool database said of itself. Who is a member is Raft's to say. */
export interface MemberDescription {
  readonly member: number;
  readonly name: ByteString;
  readonly clientUrls: readonly ByteString[];
}

/** The last description of each member that gave one. */
export class MemberTable {
  readonly #members = new Map<number, MemberDescription>();

  get(member: number): MemberDescription | undefined {
    return this.#members.get(member);
  }

  set(description: MemberDescription): void {
    this.#members.set(description.member, description);
  }

  all(): Iterable<MemberDescription> {
    return this.#members.values();
  }
}
