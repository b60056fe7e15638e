import { fail, ok, type Result } from '../../../base/result.ts';
import { applyChange, type Change, trusted } from './change.ts';
import type { Domain } from './domain.ts';
import type { Domains } from './domains.ts';
import type { StoreDump } from './dump.ts';
import type { XenstoreError } from './error.ts';
import { changesToForget } from './forget.ts';
import { Ledger } from './ledger.ts';
import { controlDomain, type DomainId } from './permissions.ts';
import type { Conflict, Transaction } from './transaction.ts';
import { type Generation, initialTree, type Node, type Stamp } from './tree.ts';

/** Changes that were made together, and the tree before them. */
interface Made {
  readonly before: Node;
  /** Those of which watchers are told. */
  readonly told: readonly Change[];
}

/** The tree as it is now; what its nodes cost is settled with their owners at every change. */
export class LiveTree {
  readonly #domains: Domains;
  readonly #ledger = new Ledger();
  #top = initialTree();
  #generation: Generation = 0;
  #made: Made[] = [];

  constructor(domains: Domains) {
    this.#domains = domains;
  }

  /** Knows what another store has dumped. */
  adopt({ top, generation }: Pick<StoreDump, 'top' | 'generation'>): void {
    this.#top = top;
    this.#generation = generation;
  }

  /** Everything about it: see `StoreDump`. */
  dump(): Pick<StoreDump, 'top' | 'generation'> {
    return { top: this.#top, generation: this.#generation };
  }

  get top(): Node {
    return this.#top;
  }

  /** The newest one that any node has. */
  get generation(): Generation {
    return this.#generation;
  }

  /** What the next change is marked with, and who made it. */
  stamp(by: DomainId): Stamp {
    this.#generation += 1;
    return { by, generation: this.#generation };
  }

  /** Makes one change of a domain's. */
  change(change: Change, domain: Domain): Result<void, XenstoreError> {
    const before = this.#top;
    const stamp = this.stamp(domain.id);
    this.#ledger.clear();
    const outcome = applyChange(before, change, domain, stamp, this.#ledger);
    if (!outcome.ok) return outcome;
    if (!outcome.value.effective) return ok(undefined);
    this.#top = outcome.value.top;
    this.#domains.settle(this.#ledger);
    this.#made.push({ before, told: [change] });
    return ok(undefined);
  }

  /** Makes all changes of a domain's transaction, or none. */
  commit(transaction: Transaction, domain: Domain): Result<void, Conflict> {
    const before = this.#top;
    this.#ledger.clear();
    const outcome = transaction.commit(before, domain, this.stamp(domain.id), this.#ledger);
    if (!outcome.ok) return fail(outcome.error);
    this.#top = outcome.value.top;
    this.#domains.settle(this.#ledger);
    const { changes } = outcome.value;
    if (changes.length > 0) this.#made.push({ before, told: changes });
    return ok(undefined);
  }

  /** Makes the changes that a domain's end brings; watchers are told of what is removed. */
  forget(gone: DomainId): void {
    const before = this.#top;
    const changes = changesToForget(before, gone);
    const maker = trusted(controlDomain);
    for (const change of changes) {
      this.#ledger.clear();
      const stamp = this.stamp(controlDomain);
      const outcome = applyChange(this.#top, change, maker, stamp, this.#ledger);
      if (!outcome.ok) throw new Error(`a domain is not forgotten: ${outcome.error}`);
      this.#top = outcome.value.top;
      this.#domains.settle(this.#ledger);
    }
    const told = changes.filter(({ kind }) => kind === 'remove');
    if (changes.length > 0) this.#made.push({ before, told });
  }

  /** What was made since the last time. */
  takeMade(): readonly Made[] {
    if (this.#made.length === 0) return this.#made;
    const made = this.#made;
    this.#made = [];
    return made;
  }
}
