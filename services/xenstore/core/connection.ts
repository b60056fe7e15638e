import type { DomainId } from './permissions.ts';
import type { Transaction } from './transaction.ts';
import type { Watch } from './watches.ts';

/** Names a connection; the adapter chooses it and never uses it again. */
export type ConnectionId = number;

/** Transactions that one connection may have open: the quota of C xenstored. */
export const openTransactionsMax = 10;

/** Watches of one connection of a domain other than 0; for domain 0 the bound is that of memory. */
export const watchesMax = 128;
export const controlDomainWatchesMax = 1_000_000;

/** The longest token, so that any path and it fit into an event (XSA-324). */
export const tokenMax = 1020;

/** What is known of one client. */
export interface Connection {
  readonly id: ConnectionId;
  readonly domain: DomainId;
  readonly transactions: Map<number, Transaction>;
  /** By text and token. */
  readonly watches: Map<string, Watch>;
}
