import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** A file that is being written. */
export interface StoredFile {
  /** Appends; what was appended is there for the next process, if this one is killed. */
  append(bytes: Uint8Array): void;
  close(): void;
}

/** Where a journal is: the files of one directory. */
export interface JournalStorage {
  readonly place: string;
  list(): readonly string[];
  read(name: string): Buffer;
  /** Begins a file anew. */
  create(name: string): StoredFile;
  /** One file takes the place of another, at once. */
  rename(from: string, to: string): void;
  remove(name: string): void;
}

/**
 * Files of a directory. What xenstore keeps is of one boot of its host, so that it has to outlive the
 * process and not the machine: nothing is synced, and the operating system's cache is enough.
 */
export function filesIn(directory: string): JournalStorage {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    place: directory,
    list: () => readdirSync(directory),
    read: (name) => readFileSync(join(directory, name)),
    create: (name) => {
      const file = openSync(join(directory, name), 'w', 0o600);
      return {
        append: (bytes) => {
          for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
        },
        close: () => closeSync(file),
      };
    },
    rename: (from, to) => renameSync(join(directory, from), join(directory, to)),
    remove: (name) => rmSync(join(directory, name), { force: true }),
  };
}
