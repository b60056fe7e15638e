import type { ByteString } from './byte-string.ts';

/** The keys that a request is about: one key, or all from `from` to before `to`. */
export type KeyRange =
  | { readonly kind: 'key'; readonly key: ByteString }
  /** `to` null: no upper end. A span whose `to` is not above its `from` is empty. */
  | { readonly kind: 'span'; readonly from: ByteString; readonly to: ByteString | null };

/**
 * Reads the pair that etcd's requests carry: no `rangeEnd` is the one key, a single zero byte is
 * every key from `key` on, and anything else is the first key that is outside.
 */
export function keyRange(key: ByteString, rangeEnd: ByteString): KeyRange {
  if (rangeEnd === '') return { kind: 'key', key };
  return { kind: 'span', from: key, to: rangeEnd === '\0' ? null : rangeEnd };
}

/** Whether the range holds no key whatever is stored. */
export function isEmptyRange(range: KeyRange): boolean {
  return range.kind === 'span' && range.to !== null && range.to <= range.from;
}

/** Whether `key` lies in `range`. */
export function inRange(range: KeyRange, key: ByteString): boolean {
  if (range.kind === 'key') return range.key === key;
  return key >= range.from && (range.to === null || key < range.to);
}
