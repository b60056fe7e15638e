import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes } from '../../../base/units.ts';
import type { Change } from '../core/change.ts';
import { bytesOf, textOf } from '../core/payload.ts';
import { controlDomain, type DomainId, type Permissions } from '../core/permissions.ts';
import type { Store } from '../core/store.ts';
import type { Node } from '../core/tree.ts';

/**
 * What keeps the tree when the daemon is killed: a file of changes, one line each, which is read back
 * at the next start. xenstore's content is of one boot of its host, so the file has to outlive the
 * process and not the machine: nothing is synced, and the operating system's cache is enough.
 *
 * A line has the changes of one request, so that a transaction is there whole or not at all: the CRC-32
 * of the rest in hexadecimal, a space, and JSON. A last line that is cut short is
 * what a kill leaves: it was never acknowledged, and is dropped. Any other damage is refused.
 */

/** The file is written anew, as the tree of now, when it has grown by this much. */
const rewriteAfter: Bytes = bytes(16 * 2 ** 20);

interface Line {
  readonly domain: DomainId;
  readonly changes: readonly Entry[];
}

interface Entry {
  readonly kind: Change['kind'];
  readonly path: readonly string[];
  readonly value?: string;
  readonly permissions?: Permissions;
}

function entryOf(change: Change): Entry {
  const { kind, path } = change;
  return {
    kind,
    path,
    ...(change.kind === 'write' ? { value: textOf(change.value) } : {}),
    ...(change.kind === 'permissions' ? { permissions: change.permissions } : {}),
  };
}

function lineOf(changes: readonly Change[], domain: DomainId): string {
  const line: Line = { domain, changes: changes.map(entryOf) };
  const text = JSON.stringify(line);
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

function changeOf({ kind, path, value, permissions }: Entry): Change | null {
  switch (kind) {
    case 'write':
      return value === undefined ? null : { kind, path, value: bytesOf(value) };
    case 'permissions':
      return permissions === undefined ? null : { kind, path, permissions };
    case 'mkdir':
    case 'remove':
      return { kind, path };
  }
}

/** The changes that make a tree, in an order that makes parents before children. */
function* changesOf(top: Node): Generator<Change> {
  const rest: { readonly path: readonly string[]; readonly node: Node }[] = [
    { path: [], node: top },
  ];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path, node } = next;
    if (path.length > 0) {
      yield { kind: 'write', path, value: node.value };
      yield { kind: 'permissions', path, permissions: node.permissions };
    }
    for (const name of node.children.names().toReversed()) {
      const child = node.children.get(name);
      if (child !== undefined) rest.push({ path: [...path, name], node: child });
    }
  }
}

/** See the head of this file. */
export class Journal {
  readonly #path: string;
  #file: number;
  #size = 0;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /** Reads what a directory's journal has into `store`, and goes on writing it. */
  static open(directory: string, store: Store): Result<Journal, string> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, 'journal');
    if (existsSync(path)) {
      const replayed = replay(path, store);
      if (!replayed.ok) return replayed;
    }
    const journal = new Journal(path, openSync(path, 'a', 0o600));
    journal.#rewrite(store.top);
    return ok(journal);
  }

  /** Keeps changes before they are acknowledged; `top` is the tree with them. */
  append(changes: readonly Change[], domain: DomainId, top: Node): void {
    this.#size += writeSync(this.#file, lineOf(changes, domain));
    if (this.#size > rewriteAfter) this.#rewrite(top);
  }

  close(): void {
    closeSync(this.#file);
  }

  #rewrite(top: Node): void {
    const aside = `${this.#path}.new`;
    const file = openSync(aside, 'w', 0o600);
    // A store begins with /tool; whether it is still there is for the tree to say.
    writeSync(file, lineOf([{ kind: 'remove', path: ['', 'tool'] }], controlDomain));
    for (const change of changesOf(top)) writeSync(file, lineOf([change], controlDomain));
    renameSync(aside, this.#path);
    closeSync(this.#file);
    this.#file = file;
    this.#size = 0;
  }
}

function replay(path: string, store: Store): Result<void, string> {
  const lines = readFileSync(path, 'utf8').split('\n');
  // What follows the last line feed is a line that was cut short, or nothing.
  for (const [index, text] of lines.slice(0, -1).entries()) {
    const line = parseLine(text);
    const changes = line?.changes.map(changeOf).filter((change) => change !== null) ?? [];
    if (line?.changes.length !== changes.length || !store.restore(changes, line.domain).ok)
      return fail(
        `${path} is damaged in line ${index + 1}; what to do: if this host was rebooted since, remove the file, for xenstore starts empty with each boot; otherwise reboot the host`,
      );
  }
  return ok(undefined);
}

function parseLine(text: string): Line | null {
  const body = text.slice(9);
  if (text.slice(0, 8) !== crc32(body).toString(16).padStart(8, '0')) return null;
  // The checksum says that this program wrote the line, so that its shape is known.
  return JSON.parse(body) as Line;
}
