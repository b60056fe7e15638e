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
  GET_FEATURE: 23,
  SET_FEATURE: 24,
  GET_QUOTA: 25,
  SET_QUOTA: 26,
} as const;

/** The name of a message. */
export type MessageName = keyof typeof messageTypes;

const names: (MessageName | undefined)[] = [];
for (const [name, type] of Object.entries(messageTypes)) names[type] = name as MessageName;

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
  return names[type];
}

/** The bytes that a packet takes. */
export function packetLength({ payload }: Packet): number {
  return headerLength + payload.length;
}

/** Writes a packet at `offset` of `target`, which has room for it; returns where the next one goes. */
export function writePacket(target: Buffer, offset: number, packet: Packet): number {
  const { payload } = packet;
  target.writeUInt32LE(packet.type, offset);
  target.writeUInt32LE(packet.requestId, offset + 4);
  target.writeUInt32LE(packet.transactionId, offset + 8);
  target.writeUInt32LE(payload.length, offset + 12);
  target.set(payload, offset + headerLength);
  return offset + headerLength + payload.length;
}

/** Writes a packet. The caller has bounded the payload. */
export function encodePacket(packet: Packet): Uint8Array {
  const bytes = Buffer.allocUnsafe(packetLength(packet));
  writePacket(bytes, 0, packet);
  return bytes;
}

/** What the bytes received so far amount to. */
export type Parsed =
  | { readonly kind: 'need-more' }
  | { readonly kind: 'packet'; readonly packet: Packet; readonly used: number };

/** Reads an unsigned little-endian 32-bit word. */
function word(bytes: Uint8Array, at: number): number {
  const high = (bytes[at + 3] ?? 0) * 0x1000000;
  return high + (((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at] ?? 0));
}

const needMore: Result<Parsed, never> = ok({ kind: 'need-more' });

/**
 * Reads the packet at `start` of `bytes`, which may hold less or more than one. Lengths are unsigned
 * (XSA-420). The payload is a view of `bytes`: who keeps it copies it. A header that announces more
 * than `payloadMax` fails: the connection is lost, because where the next packet starts is not known.
 */
export function parsePacket(bytes: Uint8Array, start = 0): Result<Parsed, string> {
  if (bytes.length - start < headerLength) return needMore;
  const length = word(bytes, start + 12);
  if (length > payloadMax)
    return fail(`a payload of ${length} bytes; at most ${payloadMax} are allowed`);
  const used = headerLength + length;
  if (bytes.length - start < used) return needMore;
  return ok({
    kind: 'packet',
    used,
    packet: {
      type: word(bytes, start),
      requestId: word(bytes, start + 4),
      transactionId: word(bytes, start + 8),
      payload: bytes.subarray(start + headerLength, start + used),
    },
  });
}
