import type { Result } from '../../../base/result.ts';
import type { Change } from './change.ts';
import type { Connection } from './connection.ts';
import type { Domain } from './domain.ts';
import type { Domains } from './domains.ts';
import type { XenstoreError } from './error.ts';
import type { Question } from './input.ts';
import type { Sessions } from './sessions.ts';
import type { Transaction } from './transaction.ts';
import type { Node } from './tree.ts';
import type { Watch } from './watches.ts';
import type { Packet } from './wire.ts';

/** What a request may do to the store. */
export interface StoreActions {
  /** The tree as it is now. */
  readonly top: Node;
  readonly domains: Domains;
  readonly sessions: Sessions;
  /** What there is, in lines for people. */
  report(): string;
  /** What is wrong in here: nothing, unless there is a bug. */
  check(): readonly string[];
  /** Makes one change, inside the transaction if there is one. */
  change(request: Request, change: Change): Result<void, XenstoreError>;
  /** Opens a transaction on the tree as it is now; returns its id. */
  begin(connection: Connection): number;
  /** Ends a transaction, and makes its changes if `commit`. It is over, whatever comes of it. */
  end(request: Request, commit: boolean): Result<void, XenstoreError>;
  /** Has the adapter do something. The reply to the request is sent when it has answered. */
  ask(request: Request, question: Question): void;
  /** Gives a served domain another event channel. */
  rebind(domain: Domain, port: number): void;
  /** Ends the service of a domain, and forgets it. */
  release(domain: Domain): void;
}

/** One request, as its handler sees it. */
export interface Request {
  readonly store: StoreActions;
  readonly connection: Connection;
  readonly packet: Packet;
  readonly payload: Uint8Array;
  /** The one that the packet names. */
  readonly transaction: Transaction | undefined;
}

/** The reply's payload, and the watch whose first event follows it; `later` is when it was asked. */
export type Reply =
  | { readonly reply: Uint8Array; readonly watched?: Watch }
  | { readonly reply: 'later'; readonly watched?: undefined };

/** What comes of a request. */
export type Outcome = Result<Reply, XenstoreError>;

/** Handles one kind of request. */
export type Handler = (request: Request) => Outcome;
