import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Entry, HardState, Position } from '../../core/entry.ts';
import { type LogIndex, later, logIndex, term } from '../../core/ids.ts';
import { decodeRecords, type LogRecord } from '../entry-codec.ts';
import { damaged, type OpenError } from './errors.ts';
import { type Frame, laterFrameExists, readFrame, wasWhole } from './frame.ts';
import {
  decodeHeader,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
  segmentNumber,
} from './segment.ts';

/** A segment whose entries may still be needed. */
export interface KnownSegment {
  readonly number: number;
  /** The highest index of any entry in it. */
  last: LogIndex;
}

/** What the segments of a log say, from the first to the last. */
export interface ReadLog {
  readonly hardState: HardState;
  readonly base: Position;
  readonly entries: Entry[];
  readonly segments: KnownSegment[];
  /** The last segment, and where its next frame belongs. */
  readonly tail: { readonly header: SegmentHeader; readonly offset: number; readonly size: number };
  /** The sequence of the next frame. */
  readonly sequence: number;
  /** Bytes at the end that a crash had left half written; they were never acknowledged. */
  readonly cutBytes: number;
}

/** Everything but the latest, while segments are read. */
interface Reading {
  hardState: HardState;
  base: Position;
  /** The segment whose header `base` is from; null once a reset has set it. */
  begun: number | null;
  entries: Entry[];
  sequence: number;
}

/**
 * Reads all segments of a directory; null if there is none. A frame that is not whole may end the
 * last segment, if nothing follows it and part of it was not written: that write was cut short by a
 * crash and never acknowledged. Anywhere else, or if all of it was written, it is damage.
 */
export async function readLog(directory: string): Promise<Result<ReadLog | null, OpenError>> {
  const numbers = afterLastGap(await readdir(directory));
  const segments: KnownSegment[] = [];
  let reading: Reading | null = null;
  let tail: ReadLog['tail'] | null = null;
  let cutBytes = 0;
  for (const number of numbers) {
    const path = join(directory, segmentName(number));
    const bytes = await readFile(path);
    const header = decodeHeader(bytes);
    if (header === null || header.number !== number)
      return fail(damaged(path, 'its header cannot be read'));
    reading ??= { ...header, begun: number, entries: [] };
    if (header.sequence !== reading.sequence)
      return fail(damaged(path, `the log before it ends at write ${reading.sequence - 1}`));
    const isLast = number === numbers.at(-1);
    const segment = { number, last: header.base.index };
    const end = readSegment(bytes, header, reading, segment);
    if (!end.ok) return fail(damaged(path, end.error));
    const rest = bytes.subarray(end.value);
    if (isLast && laterFrameExists(bytes, end.value, header.salt, reading.sequence))
      return fail(damaged(path, `write ${reading.sequence} cannot be read, but later ones can`));
    if (isLast && wasWhole(bytes, end.value, header.salt))
      return fail(damaged(path, `write ${reading.sequence}, the last one, has changed`));
    if (isLast && rest.some((byte) => byte !== 0)) cutBytes = await clear(path, end.value, rest);
    segments.push(segment);
    tail = { header, offset: end.value, size: bytes.byteLength };
  }
  if (reading === null || tail === null) return ok(null);
  const { hardState, base, entries, sequence } = reading;
  return ok({ hardState, base, entries, segments, tail, sequence, cutBytes });
}

/**
 * The numbers of the segments that follow one another up to the last. Before a gap are some that a
 * compaction was deleting, in no order that a loss of power would keep: the snapshot that it was for
 * has what they had. That there is one is checked by whoever puts the parts together.
 */
function afterLastGap(names: readonly string[]): readonly number[] {
  const numbers = names.map(segmentNumber).filter((number) => number !== null);
  numbers.sort((a, b) => a - b);
  const gap = numbers.findLastIndex(
    (number, at) => at > 0 && number !== (numbers[at - 1] ?? 0) + 1,
  );
  return numbers.slice(Math.max(0, gap));
}

/** Applies a segment's frames; the value is where the first that is not whole would begin. */
function readSegment(
  bytes: Buffer,
  header: SegmentHeader,
  reading: Reading,
  segment: KnownSegment,
): Result<number, string> {
  let offset = segmentHeaderBytes;
  for (;;) {
    const frame: Frame | null = readFrame(bytes, offset, header.salt);
    if (frame === null || frame.sequence !== reading.sequence) return ok(offset);
    const records = decodeRecords(frame.payload);
    if (!records.ok) return records;
    for (const record of records.value) {
      const problem = applyRecord(reading, segment, record);
      if (problem !== null) return fail(problem);
    }
    reading.sequence += 1;
    offset = frame.end;
  }
}

function applyRecord(reading: Reading, segment: KnownSegment, record: LogRecord): string | null {
  switch (record.kind) {
    case 'hard-state':
      reading.hardState = record.hardState;
      return null;
    case 'reset':
      reading.base = record.position;
      reading.begun = null;
      reading.entries = [];
      return null;
    case 'entry': {
      const { index } = record.entry;
      if (reading.begun === segment.number && index <= reading.base.index) stepBack(reading, index);
      const position = index - reading.base.index - 1;
      if (position < 0 || position > reading.entries.length)
        return `entry ${index} does not follow the log before it`;
      reading.entries.length = position;
      reading.entries.push(record.entry);
      segment.last = later(segment.last, index);
      return null;
    }
  }
}

/**
 * The first segment that is left replaces entries of one that was deleted. What is before them is
 * not here, and of a term that is not known; the snapshot is beyond it, or the log is not whole.
 */
function stepBack(reading: Reading, index: LogIndex): void {
  reading.base = { index: logIndex(index - 1), term: term(0) };
  reading.entries = [];
}

/** Fills the rest of a segment with zeros, so that nothing in it is ever taken for a frame. */
async function clear(path: string, offset: number, rest: Uint8Array): Promise<number> {
  let length = rest.byteLength;
  while (length > 0 && rest[length - 1] === 0) length -= 1;
  const file = await open(path, 'r+');
  try {
    await file.write(Buffer.alloc(length), 0, length, offset);
    await file.sync();
  } finally {
    await file.close();
  }
  return length;
}
