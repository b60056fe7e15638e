import type { ExecutionContext } from 'ava';
import type { PoolDatabaseClient } from './pool-database-client.ts';

/** What a test of the suite gets: a client of any member, and a prefix for keys of its own. */
export interface Subject {
  /** The clients of all members; with one member, the only one. */
  readonly clients: readonly PoolDatabaseClient[];
  readonly db: PoolDatabaseClient;
  readonly prefix: string;
}

/** Adds a test to the suite. */
export type Case = (
  title: string,
  body: (t: ExecutionContext, subject: Subject) => Promise<void>,
) => void;
