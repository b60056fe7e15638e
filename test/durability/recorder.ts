import { constants, promises } from 'node:fs';
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
 * Records every call of this process that changes files below a directory, from Node's promises:
 * the calls themselves are made as ever. Call `stop` to have that end.
 */
export class Recorder {
  readonly steps: Step[] = [];
  readonly #root: string;
  readonly #original = { ...promises };
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
    syncBuiltinESMExports();
  }

  /** Notes how much was acknowledged by now. */
  note(acknowledged: number): void {
    this.steps.push({ kind: 'note', acknowledged });
  }

  stop(): void {
    Object.assign(promises, this.#original);
    syncBuiltinESMExports();
  }

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
    const written = (data: Uint8Array, at: number | null): Change => {
      return { kind: 'write', file, at, data: Buffer.from(data), isSynchronous };
    };
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
        this.#around(written(data.subarray(start, start + length), at), () =>
          write(data, start, length, at),
        ),
      writeFile: (text: string) =>
        this.#around(written(Buffer.from(text), 0), () => writeFile(text)),
      sync: () => this.#around({ kind: 'sync', file }, () => sync()),
    });
  }
}
