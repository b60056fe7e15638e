import { crc32 } from 'node:zlib';

/**
 * One frame is one write: everything that one `write` makes durable, all of it or none.
 *
 *   0  marker (u32)             8  sequence (double), one more than the frame before
 *   4  payload's length (u32)  16  payload's CRC-32   20  CRC-32 of the 20 bytes before
 *  24  payload, then 0xff up to a multiple of 8
 *
 * Both checksums start from the segment's salt, a random number: bytes within a payload cannot
 * pretend to be a frame. CRC-32 is zlib's, which Node has built in.
 */
export const frameHeaderBytes = 24;

const marker = 0x46_4c_57_46;
const alignment = 8;

/** What a device writes as a whole, or not at all; segments are filled with zeros before. */
const sectorBytes = 512;

/** Not zero, so that it shows that the end was written. (In version 1 it was.) */
const padding = 0xff;

/**
 * Completes a frame at the beginning of a buffer, where the payload of `length` bytes is in its place
 * already; returns the frame.
 */
export function sealFrame(buffer: Buffer, length: number, sequence: number, salt: number): Buffer {
  const end = frameHeaderBytes + length;
  buffer.writeUInt32LE(marker, 0);
  buffer.writeUInt32LE(length, 4);
  buffer.writeDoubleLE(sequence, 8);
  buffer.writeUInt32LE(crc32(buffer.subarray(frameHeaderBytes, end), salt), 16);
  buffer.writeUInt32LE(crc32(buffer.subarray(0, 20), salt), 20);
  return buffer.fill(padding, end, paddedLength(end)).subarray(0, paddedLength(end));
}

/** A size, rounded up to where the next frame begins. */
export function paddedLength(length: number): number {
  return Math.ceil(length / alignment) * alignment;
}

/** A frame that was found whole. */
export interface Frame {
  readonly sequence: number;
  readonly payload: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

/** The frame that begins at `offset`, if there is a whole one. */
export function readFrame(segment: Buffer, offset: number, salt: number): Frame | null {
  if (offset + frameHeaderBytes > segment.byteLength) return null;
  if (segment.readUInt32LE(offset) !== marker) return null;
  const header = segment.subarray(offset, offset + 20);
  if (crc32(header, salt) !== segment.readUInt32LE(offset + 20)) return null;
  const start = offset + frameHeaderBytes;
  const end = start + header.readUInt32LE(4);
  if (end > segment.byteLength) return null;
  const payload = segment.subarray(start, end);
  if (crc32(payload, salt) !== header.readUInt32LE(16)) return null;
  return { sequence: header.readDoubleLE(8), payload, end: paddedLength(end) };
}

/** Whether a whole frame later than `sequence` begins anywhere after `offset`. */
export function laterFrameExists(
  segment: Buffer,
  offset: number,
  salt: number,
  sequence: number,
): boolean {
  for (let at = paddedLength(offset); at + frameHeaderBytes <= segment.length; at += alignment) {
    if (segment.readUInt32LE(at) !== marker) continue;
    const frame = readFrame(segment, at, salt);
    if (frame !== null && frame.sequence > sequence) return true;
  }
  return false;
}

/**
 * Whether what begins at `offset`, and is no whole frame, was one: every sector of it was written,
 * to the last byte, so that no crash has cut it short, and it has changed since. Where a write
 * holds a whole sector of zeros, or ends with a zero, that cannot be told: then this is false.
 */
export function wasWhole(segment: Buffer, offset: number, salt: number): boolean {
  const start = offset + frameHeaderBytes;
  if (!wasWritten(segment, offset, start)) return false;
  const header = segment.subarray(offset, offset + 20);
  const isHeader = crc32(header, salt) === segment.readUInt32LE(offset + 20);
  return !isHeader || wasWritten(segment, offset, paddedLength(start + header.readUInt32LE(4)));
}

function wasWritten(segment: Buffer, from: number, to: number): boolean {
  if (to > segment.byteLength || segment[to - 1] === 0) return false;
  for (let at = from; at < to; at = (Math.floor(at / sectorBytes) + 1) * sectorBytes) {
    const end = Math.min(to, (Math.floor(at / sectorBytes) + 1) * sectorBytes);
    if (segment.subarray(at, end).every((byte) => byte === 0)) return false;
  }
  return true;
}
