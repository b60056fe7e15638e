import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type {
  Change,
  Comparison,
  Entry,
  LeaseId,
  Revision,
  Transaction,
  TransactionOutcome,
} from '../database.ts';

/** All that one transaction changed. */
export interface StoreChange {
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

/** Revisions that are kept: what etcd's own default of automatic compaction (hourly) amounts to. */
const historyBound = 10_000;

interface StoreLease {
  readonly ttl: Milliseconds;
  endsAt: Milliseconds;
}

/**
 * A versioned store in memory with etcd's semantics: one revision for each transaction that changes
 * something, history until it is compacted, leases that end by the time that it is told.
 */
export class Store {
  #entries = new Map<string, Entry>();
  #history: StoreChange[] = [];
  #leases = new Map<LeaseId, StoreLease>();
  #revision = 1;
  #compacted = 0;
  #nextLease = 1n;

  get revision(): Revision {
    return this.#revision as Revision;
  }

  /** Reads up to this revision are refused; the revision itself can still be read. */
  get compacted(): Revision {
    return this.#compacted as Revision;
  }

  get(key: string): Entry | null {
    return this.#entries.get(key) ?? null;
  }

  /** All entries below a prefix as of a revision, sorted by key. */
  entriesAt(prefix: string, revision: Revision): readonly Entry[] {
    const entries = new Map(this.#entries);
    for (let index = this.#history.length - 1; index >= 0; index -= 1) {
      const step = this.#history[index];
      if (step === undefined || step.revision <= revision) break;
      for (const change of step.changes) revert(entries, change);
    }
    return [...entries.values()]
      .filter((entry) => entry.key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** What changed after a revision, oldest first. */
  changesAfter(revision: Revision): readonly StoreChange[] {
    return this.#history.filter((step) => step.revision > revision);
  }

  /** Forgets what was before a revision. */
  compact(revision: Revision): void {
    this.#compacted = Math.max(this.#compacted, revision);
    this.#history = this.#history.filter((step) => step.revision > revision);
  }

  /** What changed, and what to tell the caller. */
  transact({
    comparisons,
    writes,
  }: Transaction): TransactionOutcome & { change: StoreChange | null } {
    if (!comparisons.every((comparison) => this.#holds(comparison)))
      return { committed: false, revision: this.revision, change: null };
    const revision = (this.#revision + 1) as Revision;
    const changes: Change[] = [];
    for (const write of writes) {
      const previous = this.get(write.key);
      if (write.kind === 'put') {
        const { key, value, lease } = write;
        const createRevision = previous?.createRevision ?? revision;
        const entry = { key, value, createRevision, modRevision: revision, lease };
        changes.push({ kind: 'put', entry, previous });
      } else if (previous !== null) changes.push({ kind: 'delete', key: write.key, previous });
    }
    const change = this.#record(revision, changes);
    return { committed: true, revision: this.revision, change };
  }

  hasLease(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  grant(ttl: Milliseconds, now: Milliseconds): LeaseId {
    const id = this.#nextLease as LeaseId;
    this.#nextLease += 1n;
    this.#leases.set(id, { ttl, endsAt: milliseconds(now + ttl) });
    return id;
  }

  /** The time that the lease has now; null where it has ended. */
  renew(id: LeaseId, now: Milliseconds): Milliseconds | null {
    const lease = this.#leases.get(id);
    if (lease === undefined) return null;
    lease.endsAt = milliseconds(now + lease.ttl);
    return lease.ttl;
  }

  /** Ends a lease and removes what is under it. */
  revoke(id: LeaseId): StoreChange | null {
    this.#leases.delete(id);
    const changes = [...this.#entries.values()]
      .filter((entry) => entry.lease === id)
      .map((entry): Change => ({ kind: 'delete', key: entry.key, previous: entry }));
    return this.#record((this.#revision + 1) as Revision, changes);
  }

  /** The lease that ends first, and when. */
  nextToEnd(): { id: LeaseId; endsAt: Milliseconds } | null {
    let next: { id: LeaseId; endsAt: Milliseconds } | null = null;
    for (const [id, { endsAt }] of this.#leases)
      if (next === null || endsAt < next.endsAt) next = { id, endsAt };
    return next;
  }

  #holds(comparison: Comparison): boolean {
    const entry = this.get(comparison.key);
    switch (comparison.kind) {
      case 'unchanged':
        return entry?.modRevision === comparison.modRevision;
      case 'absent':
        return entry === null;
      case 'exists':
        return entry !== null;
    }
  }

  #record(revision: Revision, changes: readonly Change[]): StoreChange | null {
    if (changes.length === 0) return null;
    this.#revision = revision;
    for (const change of changes)
      if (change.kind === 'put') this.#entries.set(change.entry.key, change.entry);
      else this.#entries.delete(change.key);
    const step = { revision, changes };
    this.#history.push(step);
    if (this.#history.length >= 2 * historyBound)
      this.compact((this.#history[historyBound]?.revision ?? revision) as Revision);
    return step;
  }
}

function revert(entries: Map<string, Entry>, change: Change): void {
  const key = change.kind === 'put' ? change.entry.key : change.key;
  if (change.previous === null) entries.delete(key);
  else entries.set(key, change.previous);
}
