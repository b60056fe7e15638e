import type { Connection } from './connection.ts';
import { type ConnectionId, conflictCredit, type Domain } from './domain.ts';
import type { Domains } from './domains.ts';
import type { DomainId } from './permissions.ts';

/** What a domain has cost a client: see `StoreDump`. */
interface SpoilerDump {
  readonly victim: ConnectionId;
  readonly spoiler: DomainId;
  readonly credit: number;
}

/** Who owes whom: see `StoreDump`. */
export interface FairnessDump {
  readonly spoilers: readonly SpoilerDump[];
  /** Who lacks credit. */
  readonly debtors: readonly DomainId[];
}

/**
 * That no client can keep others from ever committing (XSA-206). Whoever changes what a transaction of
 * another domain had read, so that it fails, loses one credit. Without credit a domain's requests wait.
 * What a client has cost others comes back when it commits a transaction, or is gone; and one credit
 * comes back a second in any case. The control domain is never made to wait.
 */
export class Fairness {
  readonly #domains: Domains;
  /** For each client whose transactions failed: who spoiled them, and how much credit that cost. */
  readonly #spoilers = new Map<Connection, Map<Domain, number>>();
  readonly #debtors = new Set<Domain>();

  constructor(domains: Domains) {
    this.#domains = domains;
  }

  /** Knows what another store has dumped. */
  adopt({ spoilers, debtors }: FairnessDump, victimOf: (id: ConnectionId) => Connection): void {
    for (const { victim, spoiler, credit } of spoilers) {
      const connection = victimOf(victim);
      const domain = this.#domains.ensure(spoiler);
      const known = this.#spoilers.get(connection) ?? new Map<Domain, number>();
      this.#spoilers.set(connection, known.set(domain, credit));
    }
    for (const debtor of debtors) this.#debtors.add(this.#domains.ensure(debtor));
  }

  /** Everything about it: see `StoreDump`. */
  dump(): FairnessDump {
    const spoilers: SpoilerDump[] = [];
    for (const [victim, credits] of this.#spoilers)
      for (const [spoiler, credit] of credits)
        spoilers.push({ victim: victim.id, spoiler: spoiler.id, credit });
    return { spoilers, debtors: [...this.#debtors].map(({ id }) => id) };
  }

  /** Whether somebody waits for credit. */
  get awaited(): boolean {
    return this.#debtors.size > 0;
  }

  /** A transaction of `victim` failed, because `culprit` had changed what it had read. */
  failed(victim: Connection, culprit: DomainId | null, changed: (domain: Domain) => void): void {
    const spoiler = culprit === null ? undefined : this.#domains.find(culprit);
    if (spoiler === undefined || spoiler === victim.domain || spoiler.privileged) return;
    if (spoiler.credit === 0) return;
    spoiler.credit -= 1;
    this.#debtors.add(spoiler);
    const spoilers = this.#spoilers.get(victim) ?? new Map<Domain, number>();
    this.#spoilers.set(victim, spoilers.set(spoiler, (spoilers.get(spoiler) ?? 0) + 1));
    changed(spoiler);
  }

  /** A client has committed a transaction, or is gone: what it cost others comes back. */
  settled(victim: Connection, changed: (domain: Domain) => void): void {
    const spoilers = this.#spoilers.get(victim);
    if (spoilers === undefined) return;
    this.#spoilers.delete(victim);
    for (const [spoiler, credit] of spoilers)
      this.#restore(spoiler, spoiler.credit + credit, changed);
  }

  /** A second has passed. */
  second(changed: (domain: Domain) => void): void {
    for (const debtor of [...this.#debtors]) this.#restore(debtor, debtor.credit + 1, changed);
  }

  /** A domain is gone. */
  forget(domain: Domain): void {
    this.#debtors.delete(domain);
    for (const [victim, spoilers] of this.#spoilers)
      if (spoilers.delete(domain) && spoilers.size === 0) this.#spoilers.delete(victim);
  }

  #restore(domain: Domain, credit: number, changed: (domain: Domain) => void): void {
    domain.credit = Math.min(conflictCredit, credit);
    if (domain.credit === conflictCredit) this.#debtors.delete(domain);
    changed(domain);
  }
}
