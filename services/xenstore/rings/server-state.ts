import type { RingFault } from './layout.ts';
import type { UnsentBytes } from './outbox.ts';

/**
 * What of a connection is neither in the page nor in the store: for another process that goes on with
 * it, after a process that was killed too. The first two are fields of CONNECTION_DATA in
 * docs/designs/xenstore-migration.md.
 */
export interface ServerRingState {
  /** The beginning of a request. */
  readonly received: Uint8Array;
  /** What the page has not got, as far as is known: it may have the beginning of it. */
  readonly unsent: UnsentBytes;
  /** The index of the next byte to take. */
  readonly consumed: number;
  /** What `consumed` was before it was last moved: the page may show this one still. */
  readonly consumedBefore: number;
  /** The index at which `unsent` begins. */
  readonly produced: number;
  /** Packets that ended before `produced`, and of which nobody was told that they were taken. */
  readonly ended: number;
  /** Why the guest is served no longer; null where it is. */
  readonly fault: RingFault | null;
  /** The ring begins anew, by whose wish, and the page may not show it yet; null where it does. */
  readonly resetting: 'of the guest' | 'of an introduction' | null;
}
