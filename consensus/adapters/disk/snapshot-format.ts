import { closeSync, fstatSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { SnapshotMeta } from '../../core/entry.ts';
import type { LogIndex } from '../../core/ids.ts';
import { decodeRecords, encodeEntry } from '../entry-codec.ts';
import { readAt } from '../read-at.ts';
import { checkFrames, type ReadAt } from '../snapshot-frames.ts';

/**
 * A snapshot is a file `INDEX.snap`: a header of 16 bytes (magic, length and CRC-32 of the
 * description), the description (index, term and configuration, as a log record), and the frames
 * that travel between members.
 */
const magic = 'FLTSNAP1';
const headerBytes = 16;
const descriptionBytesMax = 2 ** 16;

/** What a snapshot's file begins with. */
export function describe({ index, term, configuration }: SnapshotMeta): Buffer {
  const payload = { kind: 'configuration', configuration, proposal: null } as const;
  const description = encodeEntry({ index, term, payload });
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 0, 'latin1');
  header.writeUInt32LE(description.byteLength, 8);
  header.writeUInt32LE(crc32(description), 12);
  return Buffer.concat([header, description]);
}

/** An open snapshot that is known to be whole. */
export interface OpenSnapshot {
  readonly meta: SnapshotMeta;
  readonly file: number;
  /** Where the frames begin, and how long they are. */
  readonly start: number;
  readonly size: number;
}

/** How closely a file is looked at. */
export type Check = (file: number, index: LogIndex) => Result<OpenSnapshot, string>;

/** Opens a file if it passes the check. The failure is half a sentence. */
export function openSnapshot(
  path: string,
  index: LogIndex,
  check: Check,
): Result<OpenSnapshot, string> {
  const file = openSync(path, 'r');
  const found = check(file, index);
  if (!found.ok) closeSync(file);
  return found;
}

/** The header, and every checksum. */
export function readWhole(file: number, index: LogIndex): Result<OpenSnapshot, string> {
  const found = readHeader(file, index);
  if (!found.ok) return found;
  const checked = checkFrames(framesOf(found.value), found.value.size);
  return checked.ok ? found : checked;
}

/** The header alone: what was just written here needs no more. */
export function readHeader(file: number, index: LogIndex): Result<OpenSnapshot, string> {
  const header = readAt(file, 0, headerBytes);
  const broken = fail('its header cannot be read');
  if (header.byteLength < headerBytes || header.toString('latin1', 0, 8) !== magic) return broken;
  const length = header.readUInt32LE(8);
  if (length > descriptionBytesMax) return broken;
  const description = readAt(file, headerBytes, length);
  if (description.byteLength < length || crc32(description) !== header.readUInt32LE(12))
    return broken;
  const records = decodeRecords(description);
  const record = records.ok ? records.value[0] : undefined;
  if (record?.kind !== 'entry' || record.entry.payload.kind !== 'configuration') return broken;
  const { entry } = record;
  if (entry.index !== index) return fail('it does not stand for the index in its name');
  const { configuration } = record.entry.payload;
  const start = headerBytes + length;
  const size = fstatSync(file).size - start;
  return ok({ meta: { index, term: entry.term, configuration }, file, start, size });
}

/** Reads a snapshot's frames. */
export function framesOf({ file, start }: OpenSnapshot): ReadAt {
  return (offset, length) => readAt(file, start + offset, length);
}
