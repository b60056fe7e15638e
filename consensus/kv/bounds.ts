import type { Bytes } from '../../base/units.ts';

/** The bounds of the pool database's store. The values that etcd has too are etcd's. */
export const storeBounds = {
  /** Compares, and operations of either branch, of one transaction; nested ones have what is left. */
  txnOperations: 128,
  /** All operations of one transaction and those nested in it: what checking them may cost. */
  txnOperationsNested: 4096,
  /** One request as a client sends it; etcd's `--max-request-bytes`. */
  requestSize: (1.5 * 2 ** 20) as Bytes,
  /**
   * Seconds of the shortest lease; one that asks for less gets this. It is above the longest
   * fail-over, so that a lease can be renewed across one.
   */
  leaseTtlMin: 2,
  /** Seconds of the longest lease: etcd's bound. */
  leaseTtlMax: 9_000_000_000,
  /** Leases of one renewal or expiry command, so that one log entry stays small. */
  leasesPerCommand: 1000,
  /** Changes that one watcher may have waiting in memory; beyond, it reads from the history. */
  watchPending: 1000,
  /** Changes that one turn of a lagging watcher looks at: how long others wait for it. */
  watchScan: 20_000,
  /** Keys and values of what is taken for a watcher at once; one revision may exceed it. */
  watchBatchSize: (2 ** 20) as Bytes,
  /** Superseded versions that one applied command frees at most: how long a compaction holds up. */
  trimPerCommand: 200,
  /** The same for one turn after a compaction, beside other calls: some milliseconds. */
  trimPerTurn: 5000,
  /**
   * Size at which a chunk of a snapshot is closed: how long its making holds up others, a
   * millisecond. One large value may exceed it.
   */
  snapshotChunk: (64 * 2 ** 10) as Bytes,
} as const;

/**
 * What one version costs beside its key and its value: the record, its place in the history and in
 * the index, and two string headers. Measured on V8 14 with a million keys.
 */
export const versionOverhead = 200 as Bytes;

/** What one lease costs, without the keys that it holds. */
export const leaseOverhead = 300 as Bytes;
