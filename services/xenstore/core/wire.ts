import { fail, ok, type Result } from '../../../base/result.ts';

/**
 * The frame of xenstore's protocol: a header of four little-endian 32-bit words (type, request id,
 * transaction id, length of the payload) and the payload.
 * Source: xen/include/public/io/xs_wire.h, docs/misc/xenstore.txt.
 */

/** Length of the header in bytes. */
export const headerLength = 16;

/** The most bytes that a payload may have: XENSTORE_PAYLOAD_MAX. */
export const payloadMax = 4096;

/** The messages, by the names of `xs_wire.h`. */
export const messageTypes = {
  CONTROL: 0,
  DIRECTORY: 1,
  READ: 2,
  GET_PERMS: 3,
  WATCH: 4,
  UNWATCH: 5,
  TRANSACTION_START: 6,
  TRANSACTION_END: 7,
  INTRODUCE: 8,
  RELEASE: 9,
  GET_DOMAIN_PATH: 10,
  WRITE: 11,
  MKDIR: 12,
  RM: 13,
  SET_PERMS: 14,
  WATCH_EVENT: 15,
  ERROR: 16,
  IS_DOMAIN_INTRODUCED: 17,
  RESUME: 18,
  SET_TARGET: 19,
  RESET_WATCHES: 21,
  DIRECTORY_PART: 22,
} as const;

/** The name of a message. */
export type MessageName = keyof typeof messageTypes;

const names = new Map<number, MessageName>(
  Object.entries(messageTypes).map(([name, type]) => [type, name as MessageName]),
);

/** One message in either direction. */
export interface Packet {
  /** The number on the wire; it may be one that this release does not know. */
  readonly type: number;
  /** Chosen by the client, returned in the reply; 0 in events. */
  readonly requestId: number;
  /** 0: outside any transaction. */
  readonly transactionId: number;
  readonly payload: Uint8Array;
}

/** The name of a message's number; undefined for one that this release does not know. */
export function messageName(type: number): MessageName | undefined {
  return names.get(type);
}

/** Writes a packet. The caller has bounded the payload. */
export function encodePacket(packet: Packet): Uint8Array {
  const bytes = new Uint8Array(headerLength + packet.payload.length);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, packet.type, true);
  header.setUint32(4, packet.requestId, true);
  header.setUint32(8, packet.transactionId, true);
  header.setUint32(12, packet.payload.length, true);
  bytes.set(packet.payload, headerLength);
  return bytes;
}

/** What the bytes received so far amount to. */
export type Parsed =
  | { readonly kind: 'need-more' }
  | { readonly kind: 'packet'; readonly packet: Packet; readonly used: number };

/**
 * Reads the packet at the start of `bytes`, which may hold less or more than one. Lengths are
 * unsigned (XSA-420). A header that announces more than `payloadMax` fails: the connection is lost,
 * because where the next packet starts is not known.
 */
export function parsePacket(bytes: Uint8Array): Result<Parsed, string> {
  if (bytes.length < headerLength) return ok({ kind: 'need-more' });
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  const length = header.getUint32(12, true);
  if (length > payloadMax)
    return fail(`a payload of ${length} bytes; at most ${payloadMax} are allowed`);
  const used = headerLength + length;
  if (bytes.length < used) return ok({ kind: 'need-more' });
  return ok({
    kind: 'packet',
    used,
    packet: {
      type: header.getUint32(0, true),
      requestId: header.getUint32(4, true),
      transactionId: header.getUint32(8, true),
      payload: bytes.slice(headerLength, used),
    },
  });
}
