import type { Result } from '../../../base/result.ts';
import type { Change } from './change.ts';
import type { Connection } from './connection.ts';
import type { XenstoreError } from './error.ts';
import type { Transaction } from './transaction.ts';
import type { Generation, Node } from './tree.ts';
import type { Watch } from './watches.ts';

/** What a request may do to the store. */
export interface StoreActions {
  /** The tree as it is now. */
  readonly root: Node;
  /** A generation that no node has yet. */
  nextGeneration(): Generation;
  /** Makes one change outside a transaction. */
  change(connection: Connection, change: Change): Result<void, XenstoreError>;
  /** Opens a transaction on the tree as it is now; returns its id. */
  begin(connection: Connection): number;
  /** Makes a transaction's changes. It is over, whatever comes of it. */
  commit(connection: Connection, transaction: Transaction): Result<void, XenstoreError>;
  /** False where the connection has this watch already. */
  watch(connection: Connection, watch: Watch): boolean;
  /** False where the connection has no such watch. */
  unwatch(connection: Connection, text: string, token: string): boolean;
}
