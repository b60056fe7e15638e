import type { KeyValueOperation } from '../../linearizability/key-value.ts';

/** What a workload has seen, in milliseconds of one clock. */
export interface Trace {
  /** Operations that succeeded, or may have. */
  readonly history: readonly KeyValueOperation[];
  /** Values of writes that were certainly refused. */
  readonly refused: ReadonlySet<string>;
  readonly watched: readonly WatchedEvent[];
  /** What the watcher itself found wrong with its streams. */
  readonly watchProblems: readonly string[];
  readonly leases: readonly UsedLease[];
}

/** A change, as the watcher was told. */
export interface WatchedEvent {
  readonly key: string;
  readonly kind: 'put' | 'delete';
  readonly value: string;
  readonly revision: number;
  readonly version: number;
  readonly at: number;
}

/** A lease that held a key. */
export interface UsedLease {
  readonly key: string;
  /** What was granted, in milliseconds. */
  readonly ttl: number;
  /** When the last renewal that was acknowledged, or else the grant, was asked for. */
  readonly renewed: number;
}

/** The clock of everything in a trace. */
export function now(): number {
  return performance.now();
}
