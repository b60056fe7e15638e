import { crc32 } from 'node:zlib';
import { fail, ok, type Result } from '../../base/result.ts';

/**
 * How a snapshot is laid out, on disk, in memory and between members: for each chunk its length
 * and its CRC-32 (4 bytes each, little-endian), then the chunk; at the end a length of 0 and the
 * CRC-32 of all the checksums before. So a snapshot that lacks its end is told from a whole one.
 */

/** Largest chunk that is believed while a snapshot is read. */
export const chunkBytesMax = 64 * 2 ** 20;

const headerBytes = 8;

/** The chunks as frames, the end included, in pieces: a chunk is not copied to have its header before it. */
export function* frames(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let all = 0;
  for (const chunk of chunks) {
    if (chunk.byteLength === 0) continue;
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(chunk.byteLength, 0);
    header.writeUInt32LE(crc32(chunk), 4);
    all = crc32(header.subarray(4), all);
    yield header;
    yield chunk;
  }
  const end = Buffer.alloc(headerBytes);
  end.writeUInt32LE(all, 4);
  yield end;
}

/** Reads `length` bytes at `offset`; fewer if there are no more. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** Checks a whole snapshot of `size` bytes. The failure is a sentence. */
export function checkFrames(read: ReadAt, size: number): Result<void, string> {
  let result: Result<void, string> = fail('the snapshot has no end');
  for (const frame of walk(read, size)) {
    if (frame.kind === 'damaged') return fail(frame.detail);
    if (frame.kind === 'end') result = ok(undefined);
  }
  return result;
}

/** The chunks of a snapshot that was checked before. */
export function* chunksOf(read: ReadAt, size: number): Generator<Uint8Array> {
  for (const frame of walk(read, size)) if (frame.kind === 'chunk') yield frame.chunk;
}

type Frame =
  | { readonly kind: 'chunk'; readonly chunk: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'damaged'; readonly detail: string };

function* walk(read: ReadAt, size: number): Generator<Frame> {
  let offset = 0;
  let all = 0;
  while (offset + headerBytes <= size) {
    const header = Buffer.from(read(offset, headerBytes));
    const length = header.readUInt32LE(0);
    const sum = header.readUInt32LE(4);
    offset += headerBytes;
    if (length === 0) {
      const whole = sum === all && offset === size;
      yield whole ? { kind: 'end' } : damaged('its end does not fit what is before', offset);
      return;
    }
    if (length > chunkBytesMax || offset + length > size) {
      yield damaged('a chunk is cut short', offset);
      return;
    }
    const chunk = read(offset, length);
    if (crc32(chunk) !== sum) {
      yield damaged('a checksum does not fit', offset);
      return;
    }
    all = crc32(header.subarray(4), all);
    offset += length;
    yield { kind: 'chunk', chunk };
  }
}

function damaged(what: string, offset: number): Frame {
  return { kind: 'damaged', detail: `the snapshot is damaged at byte ${offset}: ${what}` };
}
