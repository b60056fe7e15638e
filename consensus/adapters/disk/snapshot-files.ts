import { closeSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { SnapshotMeta } from '../../core/entry.ts';
import { type LogIndex, logIndex } from '../../core/ids.ts';
import type { StoreChunk } from '../../core/output.ts';
import type { SnapshotPiece, StoreError } from '../../ports.ts';
import { chunksOf, frames } from '../snapshot-frames.ts';
import { damaged, fromErrno, type OpenError } from './errors.ts';
import { syncDirectory, writeAll } from './segment.ts';
import {
  type Check,
  describe,
  framesOf,
  type OpenSnapshot,
  openSnapshot,
  readHeader,
  readWhole,
} from './snapshot-format.ts';

/** Size of the pieces in which a snapshot travels. */
const pieceBytes = 256 * 2 ** 10;

const madeName = 'made.tmp';
const receivedName = 'received.tmp';

function snapshotName(index: LogIndex): string {
  return `${String(index).padStart(16, '0')}.snap`;
}

function snapshotIndex(name: string): LogIndex | null {
  const match = /^(\d{16})\.snap$/.exec(name);
  return match?.[1] === undefined ? null : logIndex(Number(match[1]));
}

/** The snapshots of a data directory: the newest, and one that is being received. */
export class SnapshotFiles {
  readonly #directory: string;
  #newest: OpenSnapshot | null;
  #receiving: { readonly file: FileHandle; readonly start: number } | null = null;
  /** Settles when whoever changes the newest snapshot is done: one at a time. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(directory: string, newest: OpenSnapshot | null) {
    this.#directory = directory;
    this.#newest = newest;
  }

  /** Finds and checks the newest snapshot, and removes what a crash left behind. */
  static async open(directory: string): Promise<Result<SnapshotFiles, OpenError>> {
    for (const name of [madeName, receivedName]) await rm(join(directory, name), { force: true });
    const files = new SnapshotFiles(directory, null);
    const indexes = await files.#indexes();
    const newest = indexes[0];
    if (newest === undefined) return ok(files);
    const path = join(directory, snapshotName(newest));
    const found = openSnapshot(path, newest, readWhole);
    if (!found.ok) return fail(damaged(path, found.error));
    files.#newest = found.value;
    await files.#removeOlder(newest);
    return ok(files);
  }

  /** What the newest snapshot stands for, if there is one. */
  get newest(): SnapshotMeta | null {
    return this.#newest?.meta ?? null;
  }

  /** Writes a snapshot aside, makes it durable and puts it into place. */
  save(
    meta: SnapshotMeta,
    chunks: Iterable<Uint8Array>,
  ): Promise<Result<void, StoreError | OpenError>> {
    return this.#inTurn(() => this.#write(meta, chunks));
  }

  /** Other work has its turn after each chunk. */
  async #write(
    meta: SnapshotMeta,
    chunks: Iterable<Uint8Array>,
  ): Promise<Result<void, StoreError | OpenError>> {
    const aside = join(this.#directory, madeName);
    try {
      const file = await open(aside, 'w');
      try {
        const description = describe(meta);
        await writeAll(file, description, 0);
        let at = description.byteLength;
        for (const frame of frames(chunks)) {
          await writeAll(file, frame, at);
          at += frame.byteLength;
        }
        await file.sync();
      } finally {
        await file.close();
      }
      return await this.#adopt(aside, meta, readHeader);
    } catch (error) {
      await rm(aside, { force: true });
      return fail(fromErrno(error, `save a snapshot in ${this.#directory}`));
    }
  }

  /** The chunks of the newest snapshot; it was checked when it was opened. */
  load(index: LogIndex): Result<Iterable<Uint8Array>, StoreError> {
    const found = this.#newest;
    if (found === null || found.meta.index !== index) return fail(missing(index));
    return ok(chunksOf(framesOf(found), found.size));
  }

  /** A piece of the newest snapshot's frames. */
  async readPiece(index: LogIndex, offset: number): Promise<Result<SnapshotPiece, StoreError>> {
    const found = this.#newest;
    if (found === null || found.meta.index !== index || offset > found.size)
      return fail(missing(index));
    const data = framesOf(found)(offset, Math.min(pieceBytes, found.size - offset));
    return ok({ data, last: offset + data.byteLength === found.size });
  }

  /** Stores a piece; with the last one the whole is checked and becomes the newest. */
  storePiece(piece: StoreChunk): Promise<Result<number, StoreError>> {
    return this.#inTurn(() => this.#store(piece));
  }

  async #store(piece: StoreChunk): Promise<Result<number, StoreError>> {
    const aside = join(this.#directory, receivedName);
    try {
      if (piece.offset === 0) await this.#beginReceiving(aside, piece.snapshot);
      if (this.#receiving === null) return fail(missing(piece.snapshot.index));
      const { file, start } = this.#receiving;
      await writeAll(file, piece.data, start + piece.offset);
      if (piece.last) {
        await file.sync();
        await this.#endReceiving();
        const adopted = await this.#adopt(aside, piece.snapshot, readWhole);
        if (!adopted.ok) return fail({ code: 'damaged', detail: adopted.error.detail });
      }
      return ok(piece.offset + piece.data.byteLength);
    } catch (error) {
      return fail(fromErrno(error, `store a snapshot in ${this.#directory}`));
    }
  }

  async close(): Promise<void> {
    await this.#endReceiving();
    await rm(join(this.#directory, receivedName), { force: true });
    if (this.#newest !== null) closeSync(this.#newest.file);
    this.#newest = null;
  }

  async #beginReceiving(aside: string, meta: SnapshotMeta): Promise<void> {
    await this.#endReceiving();
    const description = describe(meta);
    const file = await open(aside, 'w');
    await writeAll(file, description, 0);
    this.#receiving = { file, start: description.byteLength };
  }

  async #endReceiving(): Promise<void> {
    await this.#receiving?.file.close();
    this.#receiving = null;
  }

  /** Puts a durable file into place, if it is whole and newer than what is there. */
  async #adopt(aside: string, meta: SnapshotMeta, check: Check): Promise<Result<void, OpenError>> {
    const made = openSnapshot(aside, meta.index, check);
    if (!made.ok) return fail(damaged(aside, made.error));
    if (this.#newest !== null && this.#newest.meta.index >= meta.index) {
      closeSync(made.value.file);
      await rm(aside, { force: true });
      return ok(undefined);
    }
    await rename(aside, join(this.#directory, snapshotName(meta.index)));
    await syncDirectory(this.#directory);
    if (this.#newest !== null) closeSync(this.#newest.file);
    this.#newest = made.value;
    await this.#removeOlder(meta.index);
    return ok(undefined);
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(work);
    this.#turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  async #indexes(): Promise<LogIndex[]> {
    const names = await readdir(this.#directory);
    return names
      .map(snapshotIndex)
      .filter((index) => index !== null)
      .sort((a, b) => b - a);
  }

  async #removeOlder(newest: LogIndex): Promise<void> {
    for (const index of await this.#indexes())
      if (index < newest) await rm(join(this.#directory, snapshotName(index)), { force: true });
  }
}

function missing(index: LogIndex): StoreError {
  return { code: 'missing', detail: `the snapshot at index ${index} is not here` };
}
