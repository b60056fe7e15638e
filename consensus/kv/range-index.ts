import { type ByteString, prefixEnd } from './byte-string.ts';
import { inRange, type KeyRange } from './key-range.ts';

/**
 * Finds, for a key, who is interested in it. One key and all keys with a prefix, which is what
 * nearly everybody asks for, cost a look-up each (for prefixes, one for each length in use),
 * however many are interested in others; any other span costs a comparison.
 */
export class RangeIndex<Item> {
  readonly #byKey = new Map<ByteString, Set<Item>>();
  readonly #byPrefix = new Map<ByteString, Set<Item>>();
  /** How many different prefixes have each length. */
  readonly #prefixLengths = new Map<number, number>();
  readonly #spans = new Map<Item, KeyRange>();

  add(range: KeyRange, item: Item): void {
    if (range.kind === 'key') {
      place(this.#byKey, range.key, item);
      return;
    }
    if (!isPrefix(range)) {
      this.#spans.set(item, range);
      return;
    }
    if (place(this.#byPrefix, range.from, item))
      this.#prefixLengths.set(
        range.from.length,
        (this.#prefixLengths.get(range.from.length) ?? 0) + 1,
      );
  }

  /** Removes what was added under the same range. */
  remove(range: KeyRange, item: Item): void {
    if (range.kind === 'key') {
      displace(this.#byKey, range.key, item);
      return;
    }
    this.#spans.delete(item);
    if (!displace(this.#byPrefix, range.from, item)) return;
    const left = (this.#prefixLengths.get(range.from.length) ?? 1) - 1;
    if (left === 0) this.#prefixLengths.delete(range.from.length);
    else this.#prefixLengths.set(range.from.length, left);
  }

  /** Calls `visit` for each item whose range holds `key`. */
  visit(key: ByteString, visit: (item: Item) => void): void {
    for (const item of this.#byKey.get(key) ?? []) visit(item);
    for (const length of this.#prefixLengths.keys()) {
      if (length > key.length) continue;
      const prefix = key.slice(0, length) as ByteString;
      for (const item of this.#byPrefix.get(prefix) ?? []) visit(item);
    }
    for (const [item, range] of this.#spans) if (inRange(range, key)) visit(item);
  }
}

type Span = Extract<KeyRange, { readonly kind: 'span' }>;

function isPrefix(range: Span): boolean {
  return range.to !== null && prefixEnd(range.from) === range.to;
}

/** Returns whether the key is new. */
function place<Item>(map: Map<ByteString, Set<Item>>, key: ByteString, item: Item): boolean {
  const items = map.get(key);
  if (items === undefined) map.set(key, new Set([item]));
  else items.add(item);
  return items === undefined;
}

/** Returns whether the key is gone. */
function displace<Item>(map: Map<ByteString, Set<Item>>, key: ByteString, item: Item): boolean {
  const items = map.get(key);
  if (items === undefined || !items.delete(item) || items.size > 0) return false;
  map.delete(key);
  return true;
}
