import type { MemberId } from '../../core/ids.ts';

/** What is known here of the names of members. */
export interface MemberNames {
  /** What the member is called for certain; null while that is not known. */
  nameOf(member: MemberId): string | null;
  /** Who takes part, as far as this member knows. */
  members(): readonly MemberId[];
}

/**
 * Binds the ids of members to certificates: `HOST/consensus` speaks as the member that is called
 * HOST, and as no other. One that joins has told nobody its name yet: it is who came first, and not
 * somebody who is another member already. Of who does not take part here only that is known that it
 * has a member's certificate: it has no vote, and a log that is behind cannot say more.
 */
export class MemberCertificates {
  readonly #names: MemberNames;
  /** Who came first, of those whose names are not known yet. Never more than members. */
  readonly #first = new Map<MemberId, string>();

  constructor(names: MemberNames) {
    this.#names = names;
  }

  /** Why who shows a certificate of this common name is not this member; null if it may be. */
  refusal(member: MemberId, commonName: string | null): string | null {
    const members = this.#names.members();
    this.#forget(members);
    const name = this.#names.nameOf(member) ?? this.#first.get(member) ?? null;
    const shown = commonName ?? 'nobody';
    if (name !== null)
      return commonName === memberCertificate(name) ? null : mismatch(member, name, shown);
    if (!members.includes(member)) return null;
    const other = members.find((each) => {
      const known = this.#names.nameOf(each) ?? this.#first.get(each);
      return known !== undefined && commonName === memberCertificate(known);
    });
    if (other !== undefined)
      return (
        `the certificate of ${shown} is that of member ${other}, and not of member ${member}: give ` +
        'each member one of its own, and remove a member before another of its name is added'
      );
    if (commonName !== null) this.#first.set(member, commonName.replace(/\/consensus$/, ''));
    return null;
  }

  #forget(members: readonly MemberId[]): void {
    for (const member of this.#first.keys())
      if (!members.includes(member)) this.#first.delete(member);
  }
}

/** The common name of the certificate of the member that is called so. */
export function memberCertificate(name: string): string {
  return `${name}/consensus`;
}

function mismatch(member: MemberId, name: string, shown: string): string {
  return (
    `the certificate of ${shown} is not that of member ${member}, which is ${name}: check the ` +
    'certificate, the name and the data directory with which that member was started'
  );
}
