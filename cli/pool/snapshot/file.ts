import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import { exitCodes } from '../../exit-codes.ts';
import { type Problem, wrongUsage } from '../../problem.ts';

/** The SHA-256 that ends every snapshot, of all before it: etcd's and ours. */
const digestBytes = 32;

/**
 * A snapshot while it is copied: written aside, so that the name has a whole file or what it had
 * before. Only the owner may read it: it holds everything that the pool knows.
 */
export class SnapshotFile {
  readonly #path: string;
  /** What it is called in messages. */
  readonly #named: string;
  readonly #aside: string;
  readonly #hash = createHash('sha256');
  /** The last bytes, which may be the digest. */
  #tail = Buffer.alloc(0);
  #file: number | null;
  #size = 0;

  private constructor(path: string, named: string, aside: string, file: number) {
    this.#path = path;
    this.#named = named;
    this.#aside = aside;
    this.#file = file;
  }

  /** Opens the file that is written aside. What is at `path` is replaced only where `force` allows it. */
  static begin(path: string, named: string, force: boolean): Result<SnapshotFile, Problem> {
    if (existsSync(path)) {
      if (!statSync(path).isFile())
        return fail(wrongUsage(`${named} is not a file`, 'name a file'));
      if (!force)
        return fail(wrongUsage(`${named} is there already`, 'name another file, or give --force'));
    }
    const aside = `${path}.${process.pid}.part`;
    try {
      return ok(new SnapshotFile(path, named, aside, openSync(aside, 'wx', 0o600)));
    } catch (error) {
      return fail(cannotWrite(named, error));
    }
  }

  /** Bytes that were written. */
  get size(): number {
    return this.#size;
  }

  /** Appends. */
  write(piece: Uint8Array): Result<void, Problem> {
    if (this.#file === null) return fail(cannotWrite(this.#named, 'it was given up'));
    try {
      for (let at = 0; at < piece.byteLength; )
        at += writeSync(this.#file, piece, at, piece.byteLength - at);
    } catch (error) {
      return fail(cannotWrite(this.#named, error));
    }
    this.#size += piece.byteLength;
    const all = Buffer.concat([this.#tail, piece]);
    const from = Math.max(0, all.byteLength - digestBytes);
    this.#hash.update(all.subarray(0, from));
    this.#tail = all.subarray(from);
    return ok(undefined);
  }

  /** Whether the digest at the end is that of all before it. */
  verify(): Result<void, Problem> {
    if (this.#tail.byteLength === digestBytes && this.#hash.digest().equals(this.#tail))
      return ok(undefined);
    return fail({
      exitCode: exitCodes.failed,
      message: `what was received (${this.#size} bytes) does not fit its SHA-256; nothing was kept`,
      remedy: 'try again, or copy from another member with --from',
    });
  }

  /** Makes what was written durable, and gives it its name. */
  keep(): Result<void, Problem> {
    if (this.#file === null) return fail(cannotWrite(this.#named, 'it was given up'));
    try {
      fsyncSync(this.#file);
      closeSync(this.#file);
      this.#file = null;
      renameSync(this.#aside, this.#path);
      const folder = openSync(dirname(this.#path), 'r');
      fsyncSync(folder);
      closeSync(folder);
      return ok(undefined);
    } catch (error) {
      this.discard();
      return fail(cannotWrite(this.#named, error));
    }
  }

  /** Gives up: nothing of it stays. */
  discard(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    rmSync(this.#aside, { force: true });
  }
}

function cannotWrite(named: string, error: unknown): Problem {
  const why = error instanceof Error ? error.message : String(error);
  return {
    exitCode: exitCodes.failed,
    // What Node adds after a comma names the file aside, which nobody asked for.
    message: `${named} cannot be written: ${why.split(',')[0]}`,
    remedy: 'name a file in a directory that you may write, on a disk with room',
    reason: 'NO_SPACE',
  };
}
