import { fail, ok, type Result } from '../../../base/result.ts';
import { bytesOf, textOf } from '../core/payload.ts';
import { formatPermission, type Permissions, parsePermissions } from '../core/permissions.ts';
import type { MessageName } from '../core/wire.ts';
import type { Reply } from './exchange.ts';
import { type ClientFailure, refused } from './failure.ts';

/** Sends a request in the right transaction, if any, and brings its reply. */
export type Ask = (name: MessageName, payload: Uint8Array) => Promise<Reply>;

/** Times that a list in parts is begun again, because it changed between two parts. */
const listAttempts = 8;

/** Parts of one list: 16 MiB of names. A server that goes on is not one of xenstore. */
const listPartsMax = 4096;

/** Strings, each followed by a NUL; EINVAL where one has a NUL in it or a character over a byte. */
export function strings(what: string, ...texts: readonly string[]): Reply {
  for (const text of texts)
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code === 0 || code > 0xff) return fail(refused('EINVAL', what));
    }
  return ok(bytesOf(texts.map((text) => `${text}\0`).join('')));
}

/** A reply that says nothing but that it is done. */
export function nothing(reply: Reply): Result<void, ClientFailure> {
  return reply.ok ? ok(undefined) : reply;
}

/** The text of a reply up to its NUL. */
export function firstString(reply: Reply): Result<string, ClientFailure> {
  return reply.ok ? ok(textOf(reply.value).split('\0')[0] ?? '') : reply;
}

/** A part of a list: see `listPart`. */
export interface ListPart {
  /** Changes whenever the list does. */
  readonly generation: string;
  readonly names: readonly string[];
  /** The list ends with it. */
  readonly last: boolean;
}

/** What can be done to nodes, outside and inside of a transaction alike. */
export class NodeOperations {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** A node's value. */
  read(path: string): Promise<Reply> {
    return this.#withPath('READ', path);
  }

  /** A node's value as UTF-8. */
  async readText(path: string): Promise<Result<string, ClientFailure>> {
    const reply = await this.read(path);
    return reply.ok ? ok(Buffer.from(reply.value).toString()) : reply;
  }

  /** Sets a node's value, text as UTF-8; makes it and its parents where they are missing. */
  async write(path: string, value: string | Uint8Array): Promise<Result<void, ClientFailure>> {
    return nothing(await this.#withPath('WRITE', path, Buffer.from(value)));
  }

  /** Makes a node and its parents where they are missing. */
  async mkdir(path: string): Promise<Result<void, ClientFailure>> {
    return nothing(await this.#withPath('MKDIR', path));
  }

  /** Removes a node and what is below it. That it is missing is no failure, unless its parent is. */
  async remove(path: string): Promise<Result<void, ClientFailure>> {
    return nothing(await this.#withPath('RM', path));
  }

  /**
   * The names of a node's children, in the server's order. A list too long for one reply is read in
   * parts (DIRECTORY_PART), and again from the beginning where it changes meanwhile; EAGAIN where it
   * never stands still.
   */
  async list(path: string): Promise<Result<readonly string[], ClientFailure>> {
    const reply = await this.#withPath('DIRECTORY', path);
    if (reply.ok) return ok(textOf(reply.value).split('\0').slice(0, -1));
    if (reply.error.code !== 'E2BIG') return reply;
    for (let attempt = 0; attempt < listAttempts; attempt += 1) {
      const whole = await this.#listInParts(path);
      if (!whole.ok || whole.value !== null) return whole.ok ? ok(whole.value ?? []) : whole;
    }
    return fail(refused('EAGAIN', `the list of ${path} changes all the time`));
  }

  /**
   * A part of a node's list that begins so many bytes after the list's own beginning, each name with a
   * byte after it. Parts belong together where their generations are the same.
   */
  async listPart(path: string, offset: number): Promise<Result<ListPart, ClientFailure>> {
    const reply = await this.#withPath('DIRECTORY_PART', path, bytesOf(`${offset}\0`));
    if (!reply.ok) return reply;
    const [generation = '', ...names] = textOf(reply.value).split('\0').slice(0, -1);
    // What ends with an empty name is the last part.
    const last = names.at(-1) === '';
    if (last) names.pop();
    if (/^\d{1,20}$/.test(generation) && (last || names.length > 0))
      return ok({ generation, names, last });
    return fail({ code: 'PROTOCOL', message: `a part of the list of ${path} cannot be read` });
  }

  /** Who owns a node, and who may do what with it. */
  async getPermissions(path: string): Promise<Result<Permissions, ClientFailure>> {
    const reply = await this.#withPath('GET_PERMS', path);
    if (!reply.ok) return reply;
    const permissions = parsePermissions(textOf(reply.value).split('\0').slice(0, -1));
    return permissions.ok
      ? permissions
      : fail({ code: 'PROTOCOL', message: `the permissions of ${path} cannot be read` });
  }

  /** Sets them; the first entry is the owner's, and what it grants is everybody else's. */
  async setPermissions(
    path: string,
    permissions: Permissions,
  ): Promise<Result<void, ClientFailure>> {
    const payload = strings('SET_PERMS', path, ...permissions.map(formatPermission));
    return payload.ok ? nothing(await this.#ask('SET_PERMS', payload.value)) : payload;
  }

  async #withPath(name: MessageName, path: string, rest?: Uint8Array): Promise<Reply> {
    const payload = strings(name, path);
    if (!payload.ok) return payload;
    return this.#ask(
      name,
      rest === undefined ? payload.value : Buffer.concat([payload.value, rest]),
    );
  }

  /** The whole list; null where it has changed between two parts. */
  async #listInParts(path: string): Promise<Result<readonly string[] | null, ClientFailure>> {
    const all: string[] = [];
    let offset = 0;
    let first: string | null = null;
    for (let parts = 0; parts < listPartsMax; parts += 1) {
      const part = await this.listPart(path, offset);
      if (!part.ok) return part;
      const { generation, names, last } = part.value;
      first ??= generation;
      if (generation !== first) return ok(null);
      for (const name of names) {
        all.push(name);
        offset += name.length + 1;
      }
      if (last) return ok(all);
    }
    return fail({ code: 'PROTOCOL', message: `the list of ${path} has no end` });
  }
}
