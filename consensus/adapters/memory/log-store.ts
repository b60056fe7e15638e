import { fail, ok, type Result } from '../../../base/result.ts';
import type { Configuration } from '../../core/configuration.ts';
import type { Entry, HardState, Position, SnapshotMeta } from '../../core/entry.ts';
import { type LogIndex, logIndex, term } from '../../core/ids.ts';
import type { Persist, StoreChunk } from '../../core/output.ts';
import { emptyHardState, type Recovered } from '../../core/raft.ts';
import { recover } from '../../core/recovery.ts';
import type { LogStore, SnapshotPiece, StoreError } from '../../ports.ts';
import { checkFrames, chunksOf, frames, type ReadAt } from '../snapshot-frames.ts';

/** Size of the pieces in which a snapshot travels. */
const pieceBytes = 64 * 2 ** 10;

/** What outlives a `MemoryLogStore`, as a disk would: hand it to the next one. */
export interface MemoryDisk {
  hardState: HardState;
  base: Position;
  entries: Entry[];
  snapshot: SnapshotMeta;
  snapshotBytes: Uint8Array;
  incarnation: number;
}

/** A disk on which nothing was written, of a pool that begins with this configuration. */
export function blankDisk(configuration: Configuration): MemoryDisk {
  const start: Position = { index: logIndex(0), term: term(0) };
  return {
    hardState: emptyHardState,
    base: start,
    entries: [],
    snapshot: { ...start, configuration },
    snapshotBytes: new Uint8Array(),
    incarnation: 0,
  };
}

/** A `LogStore` in memory: for tests, simulations, and pools that need not outlive a process. */
export class MemoryLogStore implements LogStore {
  readonly recovered: Recovered;
  readonly incarnation: number;
  readonly #disk: MemoryDisk;
  #arriving: Uint8Array[] = [];

  constructor(disk: MemoryDisk) {
    disk.incarnation += 1;
    this.#disk = disk;
    this.incarnation = disk.incarnation;
    this.recovered = recover(disk.hardState, disk.snapshot, disk.base, disk.entries);
    disk.base = this.recovered.base;
    disk.entries = [...this.recovered.entries];
  }

  async write(list: readonly Persist[]): Promise<Result<void, StoreError>> {
    for (const persist of list) applyPersist(this.#disk, persist);
    return ok(undefined);
  }

  compact(index: LogIndex): void {
    const disk = this.#disk;
    const kept = disk.entries.filter((entry) => entry.index > index);
    const last = disk.entries.find((entry) => entry.index === index);
    if (last === undefined) return;
    disk.base = { index, term: last.term };
    disk.entries = kept;
  }

  async saveSnapshot(
    snapshot: SnapshotMeta,
    chunks: Iterable<Uint8Array>,
  ): Promise<Result<void, StoreError>> {
    const bytes = Buffer.concat([...frames(chunks)]);
    if (snapshot.index > this.#disk.snapshot.index) {
      this.#disk.snapshot = snapshot;
      this.#disk.snapshotBytes = bytes;
    }
    return ok(undefined);
  }

  loadSnapshot(index: LogIndex): Result<Iterable<Uint8Array>, StoreError> {
    const { snapshot, snapshotBytes } = this.#disk;
    if (snapshot.index !== index) return fail(missing(index));
    const read = reader(snapshotBytes);
    const checked = checkFrames(read, snapshotBytes.byteLength);
    if (!checked.ok) return fail({ code: 'damaged', detail: checked.error });
    return ok(chunksOf(read, snapshotBytes.byteLength));
  }

  async readPiece(index: LogIndex, offset: number): Promise<Result<SnapshotPiece, StoreError>> {
    const { snapshot, snapshotBytes } = this.#disk;
    if (snapshot.index !== index || offset > snapshotBytes.byteLength) return fail(missing(index));
    const data = snapshotBytes.subarray(offset, offset + pieceBytes);
    return ok({ data, last: offset + data.byteLength === snapshotBytes.byteLength });
  }

  async storePiece(piece: StoreChunk): Promise<Result<number, StoreError>> {
    if (piece.offset === 0) this.#arriving = [];
    this.#arriving.push(piece.data);
    const received = piece.offset + piece.data.byteLength;
    if (!piece.last) return ok(received);
    const bytes = Buffer.concat(this.#arriving);
    this.#arriving = [];
    const checked = checkFrames(reader(bytes), bytes.byteLength);
    if (!checked.ok) return fail({ code: 'damaged', detail: checked.error });
    this.#disk.snapshot = piece.snapshot;
    this.#disk.snapshotBytes = bytes;
    return ok(received);
  }

  async close(): Promise<void> {}
}

/** Writes one `Persist` onto a disk in memory. */
export function applyPersist(disk: MemoryDisk, persist: Persist): void {
  if (persist.hardState !== null) disk.hardState = persist.hardState;
  if (persist.reset !== null) {
    disk.base = persist.reset;
    disk.entries = [];
  }
  const first = persist.entries[0];
  if (first === undefined) return;
  disk.entries.length = first.index - disk.base.index - 1;
  for (const entry of persist.entries) disk.entries.push(entry);
}

function reader(bytes: Uint8Array): ReadAt {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

function missing(index: LogIndex): StoreError {
  return { code: 'missing', detail: `the snapshot at index ${index} is not here` };
}
