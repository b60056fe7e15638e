import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import type { BackOff } from './back-off.ts';

/** What a client may be told. Everything has a default. */
export interface ClientOptions {
  /** How long a request waits for its reply, its time in the queue included. */
  readonly timeout: Milliseconds;
  /** The same for CONTROL: a command may take as long as a live update is given. */
  readonly controlTimeout: Milliseconds;
  /** Requests on their way at once; each is at most 4112 bytes. */
  readonly inFlightMax: number;
  /** Requests that wait to be sent; beyond it they fail as OVERLOADED. */
  readonly waitingMax: number;
  /** Paths that one watch keeps unread; beyond it they become one `missed`. */
  readonly watchBacklogMax: number;
  /** Times that a transaction is tried before its EAGAIN is given to the caller. */
  readonly transactionAttempts: number;
  /** Attempts to connect again when the connection is lost; 0 is not to. */
  readonly reconnectAttempts: number;
  /** From 0 to 1: spreads those who try again. */
  readonly random: () => number;
}

export const defaultOptions: ClientOptions = {
  timeout: milliseconds(30_000),
  controlTimeout: milliseconds(600_000),
  // Enough to keep a server busy over a socket, and 256 KiB at the most.
  inFlightMax: 64,
  waitingMax: 4096,
  watchBacklogMax: 1024,
  transactionAttempts: 16,
  reconnectAttempts: 0,
  random: Math.random,
};

/** Between attempts at a transaction that others have spoiled. */
export const transactionBackOff: BackOff = { first: milliseconds(2), most: milliseconds(200) };

/** Between attempts to connect again: a daemon that is restarted is back within a second. */
export const reconnectBackOff: BackOff = { first: milliseconds(50), most: milliseconds(5_000) };
