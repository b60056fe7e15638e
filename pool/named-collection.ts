import { fail, ok, type Result } from '../base/result.ts';
import type { Collection, Stored } from './collection.ts';
import type { PoolDatabase, Transaction } from './database.ts';
import type { Failure } from './failure.ts';
import { type NamedKind, nameKey } from './keys.ts';
import { absent, put, remove, together } from './transaction.ts';

/** What a record of a named kind has. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * Records whose names are unique in the pool: every transaction that makes, renames or deletes one
 * keeps `names/<kind>/<name>` in step, so that of two with one name the second fails.
 */
export interface NamedCollection<Value extends Named>
  extends Pick<
    Collection<Value>,
    'noun' | 'prefix' | 'key' | 'idOf' | 'decode' | 'get' | 'list' | 'all'
  > {
  /** The record of this id or of this name; NOT_FOUND where there is neither. */
  find(nameOrId: string): Promise<Result<Stored<Value>, Failure>>;
  /** Makes a record and takes its name. */
  creating(record: Value): Transaction;
  /** Writes a record anew, and moves its name where that changed. */
  replacing(stored: Stored<Value>, record: Value): Transaction;
  /** Removes a record and frees its name. */
  deleting(stored: Stored<Value>): Transaction;
}

/** Makes a collection whose names are unique. */
export function namedCollection<Value extends Named>(
  database: PoolDatabase,
  kind: NamedKind,
  records: Collection<Value>,
): NamedCollection<Value> {
  const taking = ({ id, name }: Named): Transaction => {
    const key = nameKey(kind, name);
    return { comparisons: [absent(key)], writes: [put(key, id)] };
  };
  const freeing = ({ name }: Named): Transaction => ({
    comparisons: [],
    writes: [remove(nameKey(kind, name))],
  });
  return {
    noun: records.noun,
    prefix: records.prefix,
    key: records.key,
    idOf: records.idOf,
    decode: records.decode,
    get: records.get,
    list: records.list,
    all: records.all,
    find: async (nameOrId) => {
      const byId = await records.get(nameOrId);
      if (!byId.ok) return byId;
      if (byId.value !== null) return ok(byId.value);
      const index = await database.get(nameKey(kind, nameOrId));
      if (!index.ok) return index;
      const byName = index.value === null ? ok(null) : await records.get(index.value.value);
      if (!byName.ok) return byName;
      return byName.value === null ? fail(notFound(records.noun, nameOrId)) : ok(byName.value);
    },
    creating: (record) => together(records.creating(record.id, record), taking(record)),
    replacing: (stored, record) => {
      const written = records.replacing(stored, record);
      if (stored.record.name === record.name) return written;
      return together(written, freeing(stored.record), taking(record));
    },
    deleting: (stored) => together(records.deleting(stored), freeing(stored.record)),
  };
}

/** No resource of this kind has this name or id. */
export function notFound(noun: string, nameOrId: string): Failure {
  return {
    reason: 'NOT_FOUND',
    message: `there is no ${noun} "${nameOrId}"`,
    remedy: `List what there is with: flotilla ${noun} list`,
    resource: { type: noun, name: nameOrId },
  };
}
