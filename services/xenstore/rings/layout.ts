import { type Bytes, bytes } from '../../../base/units.ts';

/**
 * The page that a guest shares with xenstored: two circular buffers of bytes, an index of each end of
 * each, and fields about the connection. All are little-endian words of 32 bits.
 * Source: docs/misc/xenstore-ring.txt, `struct xenstore_domain_interface` in xs_wire.h.
 */

/** The length of the shared page. */
export const pageLength: Bytes = bytes(4096);

/** The length of each of the two buffers. Their indexes run freely modulo 2^32. */
export const ringLength: Bytes = bytes(1024);

/** Where one buffer and its indexes are. */
export interface Queue {
  readonly data: number;
  readonly consumer: number;
  readonly producer: number;
}

/** From the guest to xenstored. */
export const requestQueue: Queue = { data: 0, consumer: 2048, producer: 2052 };

/** From xenstored to the guest: replies and events. */
export const responseQueue: Queue = { data: 1024, consumer: 2056, producer: 2060 };

/** Where the fields about the connection are. */
export const fields = {
  /** What the server offers: bits of `ringFeatures`. */
  features: 2064,
  connection: 2068,
  error: 2072,
} as const;

/** The features that concern the page. Others may be offered there too: they concern messages. */
export const ringFeatures = { reconnection: 1, error: 2 } as const;

/** Values of the field `connection`. */
export const connectionStates = { connected: 0, reconnect: 1 } as const;

/** Why a server serves a ring no longer, and the value of the field `error` that says it. */
export const ringFaults = {
  /** The event channel does not work, or the guest takes nothing of what is sent to it. */
  communication: 1,
  /** A consumer or producer index that cannot be (XSA-38). */
  indexes: 2,
  /** A packet that announces more than the protocol allows. */
  protocol: 3,
} as const;

/** The name of such a reason. */
export type RingFault = keyof typeof ringFaults;
