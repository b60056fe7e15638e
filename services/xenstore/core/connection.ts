import type { Domain } from './domain.ts';
import type { Transaction } from './transaction.ts';
import type { Unread } from './unread.ts';
import type { Watch } from './watches.ts';

/** Names a connection; the adapter chooses it and never uses it again. */
export type ConnectionId = number;

/** What is known of one client. */
export interface Connection {
  readonly id: ConnectionId;
  readonly domain: Domain;
  readonly transactions: Map<number, Transaction>;
  /** By path and token: see `watchKey`. */
  readonly watches: Map<string, Watch>;
  readonly unread: Unread;
}

/** What tells one watch of a connection from another. */
export function watchKey(path: string, token: string): string {
  return `${path}\0${token}`;
}
