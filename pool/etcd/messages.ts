import { assert, present } from '../../base/assert.ts';
import type { Input } from '../../proto/codec.ts';
import type { Compare, RequestOp } from '../../proto/gen/etcdserverpb.ts';
import type { KeyValue, Event as MvccEvent } from '../../proto/gen/mvccpb.ts';
import type { Change, Comparison, Entry, LeaseId, Revision, Write } from '../database.ts';

/** The pool's terms in etcd's messages: keys and values are UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

/** A revision: etcd's are 64-bit; a database that writes a million times a second needs 285 years. */
export function revisionOf(value: bigint): Revision {
  assert(value <= BigInt(Number.MAX_SAFE_INTEGER), 'a revision is below 2^53');
  return Number(value) as Revision;
}

/** An entry as the database sent it. */
export function entryOf(pair: KeyValue): Entry {
  return {
    key: Buffer.from(pair.key).toString('utf8'),
    value: Buffer.from(pair.value).toString('utf8'),
    createRevision: revisionOf(pair.createRevision),
    modRevision: revisionOf(pair.modRevision),
    lease: pair.lease === 0n ? null : (pair.lease as LeaseId),
  };
}

/** A change as a watch sent it. */
export function changeOf(event: MvccEvent): Change {
  const pair = present(event.kv, 'an event has a key');
  const previous = event.prevKv === null ? null : entryOf(event.prevKv);
  if (event.type === 'PUT') return { kind: 'put', entry: entryOf(pair), previous };
  return { kind: 'delete', key: Buffer.from(pair.key).toString('utf8'), previous };
}

/** The first key after all that begin with a prefix: etcd's `clientv3.GetPrefixRangeEnd`. */
export function prefixEnd(prefix: string): Uint8Array {
  const end = Buffer.from(prefix, 'utf8');
  const last = end.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return Uint8Array.of(0);
  end[last] = (end[last] ?? 0) + 1;
  return end.subarray(0, last + 1);
}

/** The longest beginning that all of the prefixes have. */
export function commonPrefix(prefixes: readonly string[]): string {
  const [first = '', ...others] = prefixes;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}

/** A comparison of a transaction. */
export function compareMessage(comparison: Comparison): Input<Compare> {
  const key = bytesOf(comparison.key);
  switch (comparison.kind) {
    case 'unchanged':
      return { key, target: 'MOD', result: 'EQUAL', modRevision: BigInt(comparison.modRevision) };
    case 'absent':
      return { key, target: 'CREATE', result: 'EQUAL', createRevision: 0n };
    case 'exists':
      return { key, target: 'CREATE', result: 'GREATER', createRevision: 0n };
  }
}

/** A write of a transaction. */
export function writeMessage(write: Write): Input<RequestOp> {
  const key = bytesOf(write.key);
  switch (write.kind) {
    case 'put':
      return { requestPut: { key, value: bytesOf(write.value), lease: write.lease ?? 0n } };
    case 'delete':
      return { requestDeleteRange: { key } };
  }
}
