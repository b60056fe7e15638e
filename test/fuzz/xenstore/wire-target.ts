import { isDeepStrictEqual } from 'node:util';
import {
  encodePacket,
  headerLength,
  type Packet,
  parsePacket,
  payloadMax,
} from '../../../services/xenstore/core/wire.ts';
import type { BytesSource } from './bytes-source.ts';

/** Bytes in pieces are the same packets as at once; throws where they are not. */
export function fuzzWire(source: BytesSource): void {
  const cuts = source.byte() % 8;
  const lengths = Array.from({ length: cuts }, () => source.byte());
  const bytes = streamFrom(source);
  const atOnce = packetsOf([bytes]);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  const inPieces = packetsOf([...pieces, bytes.subarray(at)]);
  if (!isDeepStrictEqual(atOnce, inPieces)) throw new Error('the pieces are other packets');
  let written = 0;
  for (const packet of atOnce.packets) {
    if (packet.payload.length > payloadMax) throw new Error('a packet is too long');
    const again = encodePacket(packet);
    if (!Buffer.from(again).equals(bytes.subarray(written, written + again.length)))
      throw new Error('a packet is written otherwise than it was read');
    written += again.length;
  }
}

/** Headers whose lengths are near what follows them, and near the bound. */
function streamFrom(source: BytesSource): Buffer {
  const parts: Buffer[] = [];
  for (let count = source.byte() % 6; count >= 0; count -= 1) {
    const payload = source.take(source.byte());
    const header = Buffer.alloc(headerLength);
    for (const offset of [0, 4, 8]) header.writeUInt32LE(source.word(), offset);
    const length = source.pick([payload.length, payload.length, payloadMax, payloadMax + 1, -1, 0]);
    header.writeUInt32LE(length < 0 ? source.word() : length, 12);
    parts.push(header, Buffer.from(payload));
  }
  return Buffer.concat(parts);
}

function packetsOf(pieces: readonly Uint8Array[]): { packets: Packet[]; broken: boolean } {
  const packets: Packet[] = [];
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    rest = Buffer.concat([rest, piece]);
    for (;;) {
      const parsed = parsePacket(rest);
      if (!parsed.ok) return { packets, broken: true };
      if (parsed.value.kind === 'need-more') break;
      const { packet, used } = parsed.value;
      packets.push({ ...packet, payload: Buffer.from(packet.payload) });
      rest = rest.subarray(used);
    }
  }
  return { packets, broken: false };
}
