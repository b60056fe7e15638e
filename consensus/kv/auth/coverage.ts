import { type ByteString, nextKey } from '../byte-string.ts';
import { isEmptyRange, type KeyRange } from '../key-range.ts';

/** All keys from `from` to before `to`; null: no upper end. */
interface Span {
  readonly from: ByteString;
  readonly to: ByteString | null;
}

/**
 * The keys that several ranges hold together. It is what etcd asks of the permissions of all of a
 * user's roles: a request is allowed where their union holds all of its keys, though none alone
 * does. Asking costs a binary search.
 */
export class Coverage {
  /** Ascending, with gaps between them. */
  readonly #spans: readonly Span[];

  constructor(ranges: Iterable<KeyRange>) {
    this.#spans = merged([...ranges].filter((range) => !isEmptyRange(range)).map(spanOf));
  }

  /** Whether every key of `range` is among these. A range that holds no key counts as its first. */
  covers(range: KeyRange): boolean {
    const { from, to } = isEmptyRange(range) ? keySpan(range) : spanOf(range);
    const span = this.#lastFrom(from);
    if (span === undefined) return false;
    if (span.to === null) return true;
    return to !== null && to <= span.to && from < span.to;
  }

  /** The last span that begins at or before a key. */
  #lastFrom(key: ByteString): Span | undefined {
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const span = this.#spans[middle];
      if (span !== undefined && span.from <= key) low = middle + 1;
      else high = middle;
    }
    return this.#spans[low - 1];
  }
}

function spanOf(range: KeyRange): Span {
  return range.kind === 'key' ? { from: range.key, to: nextKey(range.key) } : range;
}

function keySpan(range: KeyRange): Span {
  const key = range.kind === 'key' ? range.key : range.from;
  return { from: key, to: nextKey(key) };
}

/** Spans that overlap or touch become one. */
function merged(spans: readonly Span[]): readonly Span[] {
  const sorted = [...spans].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const result: Span[] = [];
  for (const span of sorted) {
    const last = result.at(-1);
    if (last === undefined || (last.to !== null && last.to < span.from)) result.push(span);
    else result[result.length - 1] = { from: last.from, to: later(last.to, span.to) };
  }
  return result;
}

function later(a: ByteString | null, b: ByteString | null): ByteString | null {
  if (a === null || b === null) return null;
  return a > b ? a : b;
}
