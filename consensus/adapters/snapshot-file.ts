import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { readAt } from './read-at.ts';
import { checkFrames, chunksOf, frames, type ReadAt } from './snapshot-frames.ts';

/**
 * The file that a pool database is saved to and restored from: what etcd's Maintenance.Snapshot
 * streams, and `flotilla consensus restore` reads.
 *
 *    0  magic (8 bytes)
 *    8  length of the description (u32), and its CRC-32 (u32), little-endian
 *   16  the description, in JSON
 *       the store's snapshot, as frames (snapshot-frames.ts)
 *  -32  the SHA-256 of everything before, as at the end of etcd's
 */
const magic = 'FLTSAVE1';
const headerBytes = 16;
const digestBytes = 32;

/** Longest description that is believed. */
const descriptionBytesMax = 2 ** 16;

/** A file is hashed in pieces of this size. */
const pieceBytes = 2 ** 20;

/** What a saved pool database says of itself. */
export interface SnapshotDescription {
  /** The pool that it was taken of, and the place in its log. */
  readonly pool: string;
  readonly index: number;
  readonly term: number;
  /** The newest revision of the store. */
  readonly revision: number;
}

const Whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What later versions add is let be. */
const DescriptionSchema = v.object({
  pool: v.string(),
  index: Whole,
  term: Whole,
  revision: Whole,
});

/** The bytes of such a file, made as they are asked for. */
export function* snapshotFile(
  description: SnapshotDescription,
  chunks: Iterable<Uint8Array>,
): Generator<Uint8Array, void> {
  const hash = createHash('sha256');
  const text = Buffer.from(JSON.stringify(description));
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 0, 'latin1');
  header.writeUInt32LE(text.byteLength, 8);
  header.writeUInt32LE(crc32(text), 12);
  const beginning = Buffer.concat([header, text]);
  hash.update(beginning);
  yield beginning;
  for (const frame of frames(chunks)) {
    hash.update(frame);
    yield frame;
  }
  yield hash.digest();
}

/** A file that was checked to its last byte. Close it. */
export interface SavedSnapshot {
  readonly description: SnapshotDescription;
  /** The SHA-256 at its end, in hexadecimal: what tells it from all others. */
  readonly digest: string;
  /** The chunks of the store, read as they are asked for. */
  chunks(): Iterable<Uint8Array>;
  close(): void;
}

/** Opens a file and checks all of it. The failure is a sentence that names the file. */
export function openSavedSnapshot(path: string): Result<SavedSnapshot, string> {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    return fail(`cannot read the snapshot: ${error instanceof Error ? error.message : error}`);
  }
  const found = check(file);
  if (found.ok) return found;
  closeSync(file);
  return fail(`${path} cannot be restored from: ${found.error}`);
}

function check(file: number): Result<SavedSnapshot, string> {
  const { size } = fstatSync(file);
  const header = readAt(file, 0, headerBytes);
  if (header.byteLength < headerBytes || header.toString('latin1', 0, 8) !== magic)
    return fail('it is not a saved pool database');
  const length = header.readUInt32LE(8);
  const start = headerBytes + length;
  const end = size - digestBytes;
  if (length > descriptionBytesMax || start > end) return fail('it is cut short');
  const description = readDescription(readAt(file, headerBytes, length), header.readUInt32LE(12));
  if (description === null) return fail('what it says of itself cannot be read');
  const digest = readAt(file, end, digestBytes);
  if (!digest.equals(hashOf(file, end)))
    return fail('its SHA-256 does not fit: it is damaged, or cut short');
  const read: ReadAt = (offset, count) => readAt(file, start + offset, count);
  const checked = checkFrames(read, end - start);
  if (!checked.ok) return checked;
  return ok({
    description,
    digest: digest.toString('hex'),
    chunks: () => chunksOf(read, end - start),
    close: () => closeSync(file),
  });
}

function readDescription(text: Buffer, sum: number): SnapshotDescription | null {
  if (crc32(text) !== sum) return null;
  try {
    const parsed = v.safeParse(DescriptionSchema, JSON.parse(text.toString()));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

function hashOf(file: number, end: number): Buffer {
  const hash = createHash('sha256');
  for (let at = 0; at < end; at += pieceBytes)
    hash.update(readAt(file, at, Math.min(pieceBytes, end - at)));
  return hash.digest();
}
