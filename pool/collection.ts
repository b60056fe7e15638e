import * as v from 'valibot';
import { fail, ok, type Result } from '../base/result.ts';
import type {
  Comparison,
  Entry,
  LeaseId,
  PoolDatabase,
  Revision,
  Transaction,
  Write,
} from './database.ts';
import type { Failure } from './failure.ts';
import { remove } from './transaction.ts';

/** A record with what the database knows of it. */
export interface Stored<Value> {
  readonly key: string;
  readonly record: Value;
  /** The revision that last wrote it: what a transaction compares. */
  readonly modRevision: Revision;
}

/** A page of records. */
export interface StoredPage<Value> {
  readonly items: readonly Stored<Value>[];
  /** Where the next page starts (`after`); null on the last page. */
  readonly next: string | null;
  readonly revision: Revision;
}

/** Which page of a collection. */
export interface CollectionPage {
  /** The `next` of the page before. */
  readonly after?: string | null | undefined;
  readonly limit?: number | undefined;
  readonly revision?: Revision | undefined;
}

/** Records of one kind: typed access to the entries below a prefix. */
export interface Collection<Value> {
  /** What a failure calls one of them: `vm`. */
  readonly noun: string;
  readonly prefix: string;
  /** The key of the record of an id; for reservations the id is `<host id>/<vm id>`. */
  key(id: string): string;
  /** The id that a key of this collection stands for; null for other keys. */
  idOf(key: string): string | null;
  /** Reads an entry. A record that does not fit the schema is a failure that names it. */
  decode(entry: Entry): Result<Stored<Value>, Failure>;
  /** The record of an id, or null. */
  get(id: string): Promise<Result<Stored<Value> | null, Failure>>;
  /** One page, in the order of ids; `below` narrows it to ids that begin so. */
  list(page?: CollectionPage, below?: string): Promise<Result<StoredPage<Value>, Failure>>;
  /** All of them, as of one revision, page by page. */
  all(below?: string): Promise<Result<readonly Stored<Value>[], Failure>>;
  /** The write that stores a record. */
  put(id: string, record: Value, lease?: LeaseId | null): Write;
  /** The write that removes one. */
  remove(id: string): Write;
  /** Writes a record that must not exist yet. */
  creating(id: string, record: Value, lease?: LeaseId | null): Transaction;
  /** Writes a record anew, provided that nobody else did since it was read. */
  replacing(stored: Stored<Value>, record: Value): Transaction;
  /** Removes a record, provided that nobody changed it since it was read. */
  deleting(stored: Stored<Value>): Transaction;
}

/** Makes the collection of the records below a prefix. */
export function collection<Value>(
  database: PoolDatabase,
  noun: string,
  prefix: string,
  schema: v.GenericSchema<unknown, Value>,
): Collection<Value> {
  const decode = (entry: Entry) => decodeEntry(noun, schema, entry);
  const key = (id: string) => `${prefix}${id}`;
  const put = (id: string, record: Value, lease: LeaseId | null = null): Write => ({
    kind: 'put',
    key: key(id),
    value: JSON.stringify(record),
    lease,
  });
  const list = async (page: CollectionPage = {}, below = '') => {
    const read = await database.list({
      prefix: key(below),
      after: page.after ?? undefined,
      limit: page.limit,
      revision: page.revision,
    });
    if (!read.ok) return read;
    const items: Stored<Value>[] = [];
    for (const entry of read.value.entries) {
      const stored = decode(entry);
      if (!stored.ok) return stored;
      items.push(stored.value);
    }
    const next = read.value.more ? (read.value.entries.at(-1)?.key ?? null) : null;
    return ok({ items, next, revision: read.value.revision });
  };
  return {
    noun,
    prefix,
    key,
    idOf: (text) => (text.startsWith(prefix) ? text.slice(prefix.length) : null),
    decode,
    get: async (id) => {
      const read = await database.get(key(id));
      if (!read.ok) return read;
      return read.value === null ? ok(null) : decode(read.value);
    },
    list,
    all: async (below = '') => {
      const items: Stored<Value>[] = [];
      let page: CollectionPage = {};
      for (;;) {
        const read = await list(page, below);
        if (!read.ok) return read;
        items.push(...read.value.items);
        if (read.value.next === null) return ok(items);
        page = { after: read.value.next, revision: read.value.revision };
      }
    },
    put,
    remove: (id) => remove(key(id)),
    creating: (id, record, lease = null) => ({
      comparisons: [{ kind: 'absent', key: key(id) }],
      writes: [put(id, record, lease)],
    }),
    replacing: (stored, record) => ({
      comparisons: [unchangedSince(stored)],
      writes: [{ kind: 'put', key: stored.key, value: JSON.stringify(record), lease: null }],
    }),
    deleting: (stored) => ({
      comparisons: [unchangedSince(stored)],
      writes: [remove(stored.key)],
    }),
  };
}

function unchangedSince(stored: Stored<unknown>): Comparison {
  return { kind: 'unchanged', key: stored.key, modRevision: stored.modRevision };
}

function decodeEntry<Value>(
  noun: string,
  schema: v.GenericSchema<unknown, Value>,
  entry: Entry,
): Result<Stored<Value>, Failure> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), entry.value);
  if (!parsed.success) return fail(unreadable(noun, entry.key, v.summarize(parsed.issues)));
  return ok({ key: entry.key, record: parsed.output, modRevision: entry.modRevision });
}

function unreadable(noun: string, key: string, why: string): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the ${noun} record at ${key} cannot be read: ${why.replaceAll('\n', '; ')}`,
    remedy: 'It was written by another release or by hand; restore it, or delete the key.',
    resource: { type: noun, name: key },
  };
}
