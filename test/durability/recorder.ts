import fs, { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';

/** What a call to the file system changes. Paths are relative to the recorded directory. */
export type Change =
  | { readonly kind: 'make-directory'; readonly path: string }
  /** `file` names the handle; the file is made where there is none. */
  | {
      readonly kind: 'open';
      readonly path: string;
      readonly file: number;
      readonly makes: boolean;
      readonly truncates: boolean;
    }
  | {
      readonly kind: 'write';
      readonly file: number;
      /** Null: after what was written before. */
      readonly at: number | null;
      readonly data: Buffer;
      /** It returns when it is durable. */
      readonly isSynchronous: boolean;
    }
  /** Of a file, or of the names in a directory. */
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string };

/** What happened, in order: calls begin and end, and the owner of the files notes what it was told. */
export type Step =
  | { readonly kind: 'begin'; readonly call: number; readonly change: Change }
  | { readonly kind: 'end'; readonly call: number }
  | { readonly kind: 'note'; readonly acknowledged: number };

/**
 * Records every call of this process that changes files below a directory, from Node's promises, and
 * by write(2) with a callback on what those have opened: the calls themselves are made as ever. Call
 * `stop` to have that end.
 */
export class Recorder {
  readonly steps: Step[] = [];
  readonly #root: string;
  readonly #original = { ...promises };
  readonly #originalWrite = fs.write;
  /** Files that are open, by the number that the system has for them. */
  readonly #open = new Map<number, { readonly file: number; readonly isSynchronous: boolean }>();
  #calls = 0;
  #files = 0;

  constructor(root: string) {
    this.#root = root;
    const { open, mkdir, rename, rm, unlink } = this.#original;
    Object.assign(promises, {
      open: async (path: string, flags: string | number = 'r') => {
        const file = this.#files;
        this.#files += 1;
        const makes = typeof flags === 'string' && flags.startsWith('w');
        const opening = {
          kind: 'open',
          path: this.#name(path),
          file,
          makes,
          truncates: makes,
        } as const;
        const handle = await this.#around(opening, () => open(path, flags));
        return this.#watch(handle, file, flags);
      },
      mkdir: (path: string, options: { recursive: boolean }) =>
        this.#around({ kind: 'make-directory', path: this.#name(path) }, () =>
          mkdir(path, options),
        ),
      rename: (from: string, to: string) =>
        this.#around({ kind: 'rename', from: this.#name(from), to: this.#name(to) }, () =>
          rename(from, to),
        ),
      rm: (path: string, options: { force: boolean }) =>
        this.#around({ kind: 'remove', path: this.#name(path) }, () => rm(path, options)),
      unlink: (path: string) =>
        this.#around({ kind: 'remove', path: this.#name(path) }, () => unlink(path)),
    });
    Object.assign(fs, { write: this.#write });
    syncBuiltinESMExports();
  }

  /** Notes how much was acknowledged by now. */
  note(acknowledged: number): void {
    this.steps.push({ kind: 'note', acknowledged });
  }

  stop(): void {
    Object.assign(promises, this.#original);
    Object.assign(fs, { write: this.#originalWrite });
    syncBuiltinESMExports();
  }

  readonly #write = (
    fd: number,
    data: Uint8Array,
    start: number,
    length: number,
    at: number,
    done: (error: NodeJS.ErrnoException | null, written: number) => void,
  ): void => {
    const call = () =>
      new Promise<number>((resolve, reject) => {
        this.#originalWrite(fd, data, start, length, at, (error, written) => {
          if (error === null) resolve(written);
          else reject(error);
        });
      });
    const known = this.#open.get(fd);
    const change =
      known === undefined ? null : written(known, data.subarray(start, start + length), at);
    const called = change === null ? call() : this.#around(change, call);
    called.then(
      (count) => done(null, count),
      (error: NodeJS.ErrnoException) => done(error, 0),
    );
  };

  #name(path: string): string {
    return relative(this.#root, path);
  }

  async #around<Value>(change: Change, call: () => Promise<Value>): Promise<Value> {
    const number = this.#calls;
    this.#calls += 1;
    this.steps.push({ kind: 'begin', call: number, change });
    const value = await call();
    this.steps.push({ kind: 'end', call: number });
    return value;
  }

  #watch(handle: FileHandle, file: number, flags: string | number): FileHandle {
    const isSynchronous = typeof flags === 'number' && (flags & constants.O_DSYNC) !== 0;
    const opened = { file, isSynchronous };
    const { fd } = handle;
    this.#open.set(fd, opened);
    const close = handle.close.bind(handle);
    const write = handle.write.bind(handle);
    const writeFile = handle.writeFile.bind(handle);
    const sync = handle.sync.bind(handle);
    return Object.assign(handle, {
      write: (
        data: Uint8Array,
        start = 0,
        length = data.byteLength - start,
        at: number | null = null,
      ) =>
        this.#around(written(opened, data.subarray(start, start + length), at), () =>
          write(data, start, length, at),
        ),
      writeFile: (text: string) =>
        this.#around(written(opened, Buffer.from(text), 0), () => writeFile(text)),
      sync: () => this.#around({ kind: 'sync', file }, () => sync()),
      close: () => {
        this.#open.delete(fd);
        return close();
      },
    });
  }
}

function written(
  { file, isSynchronous }: { readonly file: number; readonly isSynchronous: boolean },
  data: Uint8Array,
  at: number | null,
): Change {
  return { kind: 'write', file, at, data: Buffer.from(data), isSynchronous };
}
