import { assert } from '../base/assert.ts';
import type { Comparison, Entry, LeaseId, Transaction, Write } from './database.ts';

/** Holds while nobody has written the entry since it was read. */
export function unchanged(entry: Pick<Entry, 'key' | 'modRevision'>): Comparison {
  return { kind: 'unchanged', key: entry.key, modRevision: entry.modRevision };
}

/** Holds while the key has no entry. */
export function absent(key: string): Comparison {
  return { kind: 'absent', key };
}

/** Holds while the key has an entry. */
export function exists(key: string): Comparison {
  return { kind: 'exists', key };
}

/** Writes an entry; it goes away with its lease, if it has one. */
export function put(key: string, value: string, lease: LeaseId | null = null): Write {
  return { kind: 'put', key, value, lease };
}

/** Removes an entry. */
export function remove(key: string): Write {
  return { kind: 'delete', key };
}

/** The transaction of one write that nothing guards. */
export function writing(...writes: readonly Write[]): Transaction {
  return { comparisons: [], writes };
}

/** A transaction that only checks; put together with others it guards them. */
export function requiring(...comparisons: readonly Comparison[]): Transaction {
  return { comparisons, writes: [] };
}

/** Several transactions as one. They write different keys: the database refuses others. */
export function together(...parts: readonly Transaction[]): Transaction {
  const writes = parts.flatMap((part) => part.writes);
  const keys = new Set(writes.map((write) => write.key));
  assert(keys.size === writes.length, 'a transaction writes a key once');
  return { comparisons: parts.flatMap((part) => part.comparisons), writes };
}
