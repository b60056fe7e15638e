import { randomInt } from 'node:crypto';
import { constants, write } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { HardState, Position } from '../../core/entry.ts';
import { logIndex, memberId, term } from '../../core/ids.ts';

/**
 * The log is a row of segments: files that are filled with zeros before use, of one size but for the
 * first.
 */

/** What a segment's first bytes say: all that is needed to read on without what came before. */
export interface SegmentHeader {
  readonly number: number;
  /** Starts the checksums of this segment's frames. */
  readonly salt: number;
  /** The sequence of its first frame. */
  readonly sequence: number;
  /** The log's end when the segment was begun. */
  readonly base: Position;
  readonly hardState: HardState;
}

/** Where the first frame begins. */
export const segmentHeaderBytes = 128;

const magic = 'FLTWAL01';
const checksumAt = segmentHeaderBytes - 8;

/** Zeros are written in pieces of this size. */
const fillBytes = 2 ** 20;

/** `0000000012.wal`. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.wal`;
}

/** The number in a segment's name, or null for other files. */
export function segmentNumber(name: string): number | null {
  const match = /^(\d{10})\.wal$/.exec(name);
  return match?.[1] === undefined ? null : Number(match[1]);
}

/** Chooses the salt of a new segment. */
export function newSalt(): number {
  return randomInt(2 ** 32);
}

/** A header as bytes. */
export function encodeHeader(header: SegmentHeader): Buffer {
  const buffer = Buffer.alloc(segmentHeaderBytes);
  buffer.write(magic, 0, 'latin1');
  buffer.writeUInt32LE(header.salt, 8);
  let at = 16;
  const { base, hardState } = header;
  for (const value of [header.number, header.sequence, base.index, base.term])
    at = buffer.writeDoubleLE(value, at);
  for (const value of [hardState.term, hardState.vote ?? 0, hardState.commit])
    at = buffer.writeDoubleLE(value, at);
  buffer.writeUInt32LE(crc32(buffer.subarray(0, checksumAt)), checksumAt);
  return buffer;
}

/** The header of a segment's bytes, or null if it is not whole. */
export function decodeHeader(segment: Buffer): SegmentHeader | null {
  if (segment.byteLength < segmentHeaderBytes) return null;
  if (segment.toString('latin1', 0, 8) !== magic) return null;
  const sum = segment.readUInt32LE(checksumAt);
  if (crc32(segment.subarray(0, checksumAt)) !== sum) return null;
  const value = (position: number): number => segment.readDoubleLE(16 + 8 * position);
  const vote = value(5);
  return {
    salt: segment.readUInt32LE(8),
    number: value(0),
    sequence: value(1),
    base: { index: logIndex(value(2)), term: term(value(3)) },
    hardState: {
      term: term(value(4)),
      vote: vote === 0 ? null : memberId(vote),
      commit: logIndex(value(6)),
    },
  };
}

/**
 * Writes a file of zeros, so that later writes into it need no room and no new metadata. Where that
 * fails, nothing is left of it.
 */
export async function prepareFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    const zeros = Buffer.alloc(Math.min(fillBytes, size));
    for (let at = 0; at < size; at += zeros.byteLength)
      await writeAll(file, zeros.subarray(0, Math.min(zeros.byteLength, size - at)), at);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Writes all of `bytes`: a disk that is nearly full takes part of a write, and says how much. */
export function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  // `FileHandle.write` makes a chain of promises for each call, which costs a member that writes one
  // entry at a time as much as the call itself.
  return new Promise((resolve, reject) => {
    const from = (done: number): void => {
      const left = bytes.byteLength - done;
      if (left === 0) resolve();
      else
        write(file.fd, bytes, done, left, offset + done, (error, written) => {
          if (error === null) from(done + written);
          else reject(error);
        });
    };
    from(0);
  });
}

/** Makes a prepared file the segment of this header, durably, and opens it for writing. */
export async function beginSegment(
  directory: string,
  prepared: string,
  header: SegmentHeader,
): Promise<FileHandle> {
  const path = join(directory, segmentName(header.number));
  // With O_DSYNC a write returns when its data is durable, as after a write and fdatasync, but in
  // one trip to the thread pool instead of two.
  const file = await open(prepared, constants.O_RDWR | constants.O_DSYNC);
  try {
    await writeAll(file, encodeHeader(header), 0);
    await rename(prepared, path);
    await syncDirectory(directory);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
