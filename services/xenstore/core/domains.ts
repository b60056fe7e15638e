import { Domain, type DomainDump, type ExceededListener } from './domain.ts';
import type { Ledger } from './ledger.ts';
import { anyDomain, controlDomain, type DomainId } from './permissions.ts';
import { copyQuotas, defaultQuotas, type Quotas } from './quota.ts';

/** The domains that this xenstore knows of, and the quotas that new ones get. */
export class Domains {
  /** What a domain gets that is new. */
  readonly quotas = defaultQuotas();
  readonly #all = new Map<DomainId, Domain>();
  readonly #anybody: boolean;
  readonly #onExceeded: ExceededListener;

  /** With `anybody`, every domain counts as existing: nobody tells which ones do. */
  constructor(anybody: boolean, onExceeded: ExceededListener) {
    this.#anybody = anybody;
    this.#onExceeded = onExceeded;
    this.ensure(controlDomain).introduced = true;
  }

  /** Knows what another store has dumped, and nothing else. */
  adopt(quotas: Quotas, domains: readonly DomainDump[]): void {
    Object.assign(this.quotas, copyQuotas(quotas));
    this.#all.clear();
    for (const dump of domains) this.#all.set(dump.id, Domain.from(dump, this.#onExceeded));
  }

  find(id: DomainId): Domain | undefined {
    return this.#all.get(id);
  }

  /** The domain, which is known from now on. */
  ensure(id: DomainId): Domain {
    let domain = this.#all.get(id);
    if (domain === undefined) {
      domain = new Domain(id, this.quotas, this.#onExceeded);
      this.#all.set(id, domain);
    }
    return domain;
  }

  /** The domain, if it exists as far as anybody knows. */
  existing(id: DomainId): Domain | undefined {
    return this.#anybody ? this.ensure(id) : this.#all.get(id);
  }

  /** Whether an entry of permissions may name this domain (XSA-417). */
  exists(id: DomainId): boolean {
    return this.#anybody || id === anyDomain || this.#all.has(id);
  }

  forget(id: DomainId): void {
    this.#all.delete(id);
    // A stub domain does not act for whoever gets its target's id next (XSA-233, XSA-322).
    for (const domain of this.#all.values()) if (domain.target === id) domain.target = null;
  }

  /** Makes the counts those of the tree after changes whose balance the ledger has. */
  settle(ledger: Ledger): void {
    ledger.forEach((owner, nodes, bytes) => {
      const domain = this.ensure(owner);
      domain.use('nodes', nodes);
      domain.use('memory', bytes);
    });
  }

  [Symbol.iterator](): IterableIterator<Domain> {
    return this.#all.values();
  }
}
