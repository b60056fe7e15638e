import type { Brand } from '../base/brand.ts';
import type { Result } from '../base/result.ts';
import type { Milliseconds } from '../base/units.ts';
import type { Failure } from './failure.ts';

/**
 * The port to the pool database: what the services need of the etcd v3 API. Two adapters implement
 * it: `etcd/` over gRPC (the built-in consensus, or an etcd cluster) and `simulated/` in memory. One
 * contract suite, `test/contract/database.ts`, holds both to it.
 *
 * Reads are linearizable. Every failure is a value: DATABASE_UNAVAILABLE where no member answers or
 * none leads, REVISION_COMPACTED, NOT_FOUND of a lease, LIMIT of a request that is too large.
 */
export interface PoolDatabase {
  /** One entry, or null where there is none. */
  get(key: string): Promise<Result<Entry | null, Failure>>;
  /** A page of the entries whose keys begin with a prefix, in the order of their keys. */
  list(request: ListRequest): Promise<Result<Page, Failure>>;
  /**
   * Does all of the writes if all of the comparisons hold, and none otherwise. After
   * DATABASE_UNAVAILABLE it may have happened or not: read again before going on.
   */
  transact(transaction: Transaction): Promise<Result<TransactionOutcome, Failure>>;
  /**
   * Every change below the prefixes after a revision, in order, each exactly once: when a member
   * fails, the watch goes on with another where it stopped, for as long as that takes. It ends when
   * the signal aborts, or with a last `failed` (REVISION_COMPACTED, WATCH_TOO_SLOW, FORBIDDEN).
   */
  watch(request: WatchRequest): AsyncIterable<WatchBatch>;
  /** Makes a lease. It ends, and with it the entries under it, when it is not renewed for `ttl`. */
  grantLease(ttl: Milliseconds): Promise<Result<Lease, Failure>>;
  /** Renews a lease once. NOT_FOUND: it has ended. `holdLease` of `lease.ts` does it all the time. */
  renewLease(id: LeaseId): Promise<Result<Lease, Failure>>;
  /** Ends a lease and removes what is under it. One that has ended already is a success. */
  revokeLease(id: LeaseId): Promise<Result<void, Failure>>;
  /** The members of the database, and whether each answers now. */
  members(): Promise<Result<readonly DatabaseMember[], Failure>>;
  /** Ends watches and connections. */
  close(): void;
}

/** The database's version: every transaction that writes raises it by one. Below 2^53. */
export type Revision = Brand<number, 'Revision'>;

/** The database's number of a lease: 63 bits. */
export type LeaseId = Brand<bigint, 'LeaseId'>;

/** A key with its value. */
export interface Entry {
  readonly key: string;
  /** UTF-8 text; what the pool stores is JSON. */
  readonly value: string;
  /** The revision that made the key, and the one that last wrote it. */
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** The lease that it ends with; null: it stays. */
  readonly lease: LeaseId | null;
}

/** Which entries `list` returns. */
export interface ListRequest {
  readonly prefix: string;
  /** Only keys after this one. */
  readonly after?: string | undefined;
  /** From 1 to `bounds.pageSizeMax`, which it is when left out. */
  readonly limit?: number | undefined;
  /** As the database was then; REVISION_COMPACTED where that is no longer kept. */
  readonly revision?: Revision | undefined;
}

/** What `list` returns. */
export interface Page {
  readonly entries: readonly Entry[];
  /** There are entries after the last one. */
  readonly more: boolean;
  /** The revision that the page shows. */
  readonly revision: Revision;
}

/** What must hold for a transaction to take place. */
export type Comparison =
  /** The entry was last written by this revision. */
  | { readonly kind: 'unchanged'; readonly key: string; readonly modRevision: Revision }
  | { readonly kind: 'absent'; readonly key: string }
  | { readonly kind: 'exists'; readonly key: string };

/** One write of a transaction. A transaction writes a key at most once. */
export type Write =
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly value: string;
      readonly lease: LeaseId | null;
    }
  /** Deleting what does not exist is a success. */
  | { readonly kind: 'delete'; readonly key: string };

/** Comparisons and writes; parts of one are put together by `together` of `transaction.ts`. */
export interface Transaction {
  readonly comparisons: readonly Comparison[];
  readonly writes: readonly Write[];
}

/** What became of a transaction. */
export interface TransactionOutcome {
  /** False: a comparison did not hold, and nothing was written. */
  readonly committed: boolean;
  readonly revision: Revision;
}

/** Which changes `watch` delivers. */
export interface WatchRequest {
  /** At least one. Where there are several, their changes come in one order, by transaction. */
  readonly prefixes: readonly string[];
  /** Changes of later revisions only; `list` gives the revision to start at. */
  readonly after: Revision;
  readonly signal: AbortSignal;
}

/** One change of one key. `previous` is what it was before. */
export type Change =
  | { readonly kind: 'put'; readonly entry: Entry; readonly previous: Entry | null }
  | { readonly kind: 'delete'; readonly key: string; readonly previous: Entry | null };

/** What a watch delivers. */
export type WatchBatch =
  /** All that one transaction changed below the prefixes. */
  | {
      readonly kind: 'changes';
      readonly revision: Revision;
      readonly changes: readonly Change[];
    }
  /** Nothing more will come up to this revision: a later watch may start after it. */
  | { readonly kind: 'progress'; readonly revision: Revision }
  /** The watch is over. */
  | { readonly kind: 'failed'; readonly failure: Failure };

/** A lease and the time it has left when the database answered. */
export interface Lease {
  readonly id: LeaseId;
  readonly ttl: Milliseconds;
}

/** One member of the database. */
export interface DatabaseMember {
  readonly name: string;
  /** HOST:PORT of its client API. */
  readonly clientAddress: string;
  readonly leader: boolean;
  readonly healthy: boolean;
}
