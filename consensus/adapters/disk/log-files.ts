import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Bytes } from '../../../base/units.ts';
import type { HardState, Position } from '../../core/entry.ts';
import { type LogIndex, later } from '../../core/ids.ts';
import type { Persist } from '../../core/output.ts';
import type { StoreError } from '../../ports.ts';
import { persistsSize, writePersists } from '../entry-codec.ts';
import { fromErrno } from './errors.ts';
import { frameHeaderBytes, paddedLength, sealFrame } from './frame.ts';
import type { KnownSegment, ReadLog } from './read-log.ts';
import {
  beginSegment,
  newSalt,
  prepareFile,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
  writeAll,
} from './segment.ts';

/** The segment that is written. */
interface Tail {
  readonly file: FileHandle;
  readonly header: SegmentHeader;
  readonly size: number;
  offset: number;
}

const preparedName = 'next.tmp';

/** Frames up to this size, which is nearly all, are built in one and the same place. */
const scratchBytes = 128 * 2 ** 10;

/** The first segment of a log is filled before its member serves, and so it is a small one. */
const firstSegmentBytes = 2 ** 20;

/** Writes the log: frames into the last segment; from its half on the next one is prepared ahead. */
export class LogFiles {
  readonly #directory: string;
  readonly #segmentBytes: Bytes;
  readonly #segments: KnownSegment[];
  #tail: Tail;
  #sequence: number;
  #hardState: HardState;
  #end: Position;
  /** The segment that comes next; null: the last one is not half full. */
  #prepared: Promise<Result<void, StoreError>> | null = null;
  readonly #deleting = new Set<Promise<void>>();
  /** One write is under way at a time. */
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes);

  private constructor(
    directory: string,
    segmentBytes: Bytes,
    segments: KnownSegment[],
    tail: Tail,
    state: { sequence: number; hardState: HardState; end: Position },
  ) {
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
    this.#segments = segments;
    this.#tail = tail;
    this.#sequence = state.sequence;
    this.#hardState = state.hardState;
    this.#end = state.end;
  }

  /** Goes on where the log that was read ends. */
  static async resume(directory: string, segmentBytes: Bytes, log: ReadLog): Promise<LogFiles> {
    const { header, offset, size } = log.tail;
    const path = join(directory, segmentName(header.number));
    const file = await open(path, constants.O_RDWR | constants.O_DSYNC);
    return new LogFiles(
      directory,
      segmentBytes,
      log.segments,
      { file, header, size, offset },
      {
        sequence: log.sequence,
        hardState: log.hardState,
        end: log.entries.at(-1) ?? log.base,
      },
    );
  }

  /** Begins a log, of a member that has never run. */
  static async create(
    directory: string,
    segmentBytes: Bytes,
    hardState: HardState,
    base: Position,
  ): Promise<LogFiles> {
    const header = { number: 1, salt: newSalt(), sequence: 1, base, hardState };
    const prepared = join(directory, preparedName);
    const size = Math.min(segmentBytes, firstSegmentBytes);
    await prepareFile(prepared, size);
    const file = await beginSegment(directory, prepared, header);
    const tail = { file, header, size, offset: segmentHeaderBytes };
    const segments = [{ number: 1, last: base.index }];
    const state = { sequence: 1, hardState, end: base };
    return new LogFiles(directory, segmentBytes, segments, tail, state);
  }

  /** Makes a list durable as one frame. After a failure nothing of it counts. */
  async write(list: readonly Persist[]): Promise<Result<void, StoreError>> {
    const length = persistsSize(list);
    const room = paddedLength(frameHeaderBytes + length);
    if (this.#tail.offset + room > this.#tail.size) {
      const rotated = await this.#rotate(room);
      if (!rotated.ok) return rotated;
    }
    const buffer = room > scratchBytes ? Buffer.allocUnsafe(room) : this.#scratch;
    writePersists(buffer, frameHeaderBytes, list);
    const frame = sealFrame(buffer, length, this.#sequence, this.#tail.header.salt);
    try {
      await writeAll(this.#tail.file, frame, this.#tail.offset);
    } catch (error) {
      return fail(fromErrno(error, `write to the log in ${this.#directory}`));
    }
    this.#tail.offset += frame.byteLength;
    if (this.#tail.offset > this.#tail.size / 2)
      this.#prepared ??= this.#prepare(this.#segmentBytes);
    this.#sequence += 1;
    this.#note(list);
    return ok(undefined);
  }

  #note(list: readonly Persist[]): void {
    const segment = this.#segments.at(-1);
    for (const { hardState, reset, entries } of list) {
      if (hardState !== null) this.#hardState = hardState;
      if (reset !== null) this.#end = reset;
      const last = entries.at(-1);
      if (last === undefined) continue;
      this.#end = { index: last.index, term: last.term };
      if (segment !== undefined) segment.last = later(segment.last, last.index);
    }
  }

  /** Deletes segments of which every entry is at or before `index`, from the oldest on. */
  compact(index: LogIndex): void {
    while (this.#segments.length > 1 && (this.#segments[0]?.last ?? index + 1) <= index) {
      const segment = this.#segments.shift();
      if (segment === undefined) return;
      // A segment that cannot be deleted is read again at the next start, and does no harm.
      const deletion = unlink(join(this.#directory, segmentName(segment.number)))
        .catch(() => {})
        .finally(() => this.#deleting.delete(deletion));
      this.#deleting.add(deletion);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#deleting, this.#prepared]);
    await rm(join(this.#directory, preparedName), { force: true });
    await this.#tail.file.close();
  }

  async #prepare(size: number): Promise<Result<void, StoreError>> {
    try {
      await prepareFile(join(this.#directory, preparedName), size);
      return ok(undefined);
    } catch (error) {
      return fail(fromErrno(error, `make room for the log in ${this.#directory}`));
    }
  }

  /** Begins the next segment; a frame that is larger than a segment gets one of its own size. */
  async #rotate(room: number): Promise<Result<void, StoreError>> {
    const size = Math.max(this.#segmentBytes, segmentHeaderBytes + room);
    let prepared = await this.#prepared;
    if (prepared?.ok !== true || size > this.#segmentBytes) prepared = await this.#prepare(size);
    if (!prepared.ok) {
      this.#prepared = Promise.resolve(prepared);
      return prepared;
    }
    const header: SegmentHeader = {
      number: this.#tail.header.number + 1,
      salt: newSalt(),
      sequence: this.#sequence,
      base: this.#end,
      hardState: this.#hardState,
    };
    try {
      const path = join(this.#directory, preparedName);
      const file = await beginSegment(this.#directory, path, header);
      await this.#tail.file.close();
      this.#tail = { file, header, size, offset: segmentHeaderBytes };
    } catch (error) {
      return fail(fromErrno(error, `begin a segment of the log in ${this.#directory}`));
    }
    this.#segments.push({ number: header.number, last: header.base.index });
    this.#prepared = null;
    return ok(undefined);
  }
}
