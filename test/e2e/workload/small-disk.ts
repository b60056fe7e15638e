import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The filler grows by pieces of this size, and then by single pages. */
const piece = 2 ** 20;
const page = 4096;

/** A file system of its own, that can be filled up and given room again. */
export class SmallDisk {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Mounts one of so many MiB in memory; null where this user may not (it needs root). */
  static mount(size: number): SmallDisk | null {
    const path = mkdtempSync(join(tmpdir(), 'flotilla-small-disk-'));
    try {
      const options = ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', path];
      execFileSync('mount', options, { stdio: 'ignore' });
      return new SmallDisk(path);
    } catch {
      rmdirSync(path);
      return null;
    }
  }

  /** A directory on it. */
  get directory(): string {
    return join(this.#path, 'data');
  }

  /** Takes all room that is left. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    for (const size of [piece, page]) {
      const zeros = Buffer.alloc(size);
      while (takes(file, zeros));
    }
    closeSync(file);
  }

  /** Gives that room back. */
  clear(): void {
    rmSync(this.#filler, { force: true });
  }

  unmount(): void {
    execFileSync('umount', [this.#path]);
    rmdirSync(this.#path);
  }

  get #filler(): string {
    return join(this.#path, 'filler');
  }
}

function takes(file: number, data: Buffer): boolean {
  try {
    return writeSync(file, data) === data.length;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}
