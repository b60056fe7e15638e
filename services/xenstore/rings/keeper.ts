import type { RingFault } from './layout.ts';

/**
 * Keeps what becomes of a ring, so that another process can go on with it exactly where this one was
 * killed. Each call returns when what it tells is kept, and comes before the page shows it; none comes
 * from within `send`.
 */
export interface RingKeeper {
  /** These bytes were copied out, after those of all earlier calls: the guest may overwrite them now. */
  received(bytes: Uint8Array): void;
  /** The guest wants a new beginning: nothing of the connection is left but itself. */
  reset(): void;
  /** The page shows the new beginning. */
  ready(): void;
  /** The guest has zeroed the page: both buffers go on at index 0, and what waits goes on waiting. */
  zeroed(): void;
  /** The guest is served no longer, until it asks for a reset: nothing else of the connection is left. */
  broken(fault: RingFault): void;
  /** Something that was sent is about to be in the page: what has brought it about has to be kept. */
  leaving(): void;
}

/** Keeps nothing: a connection that ends with its process. */
export const keepsNothing: RingKeeper = {
  received: () => undefined,
  reset: () => undefined,
  ready: () => undefined,
  zeroed: () => undefined,
  broken: () => undefined,
  leaving: () => undefined,
};
