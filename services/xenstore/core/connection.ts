import type { Transaction } from './transaction.ts';
import type { Watch, Watcher } from './watches.ts';

/** What is known of one client. */
export interface Connection extends Watcher {
  readonly transactions: Map<number, Transaction>;
  /** By path and token: see `watchKey`. */
  readonly watches: Map<string, Watch>;
}

/** What tells one watch of a connection from another. */
export function watchKey(path: string, token: string): string {
  return `${path}\0${token}`;
}
