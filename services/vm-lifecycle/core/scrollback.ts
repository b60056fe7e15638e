/** Small pieces are put together up to this size, so that a guest that prints byte by byte costs little. */
const pieceSize = 4096;

/** What a reader gets that has read up to some point. */
export interface ScrollbackPart {
  readonly data: Uint8Array;
  /** Where to read on. */
  readonly next: number;
  /** What was dropped before it was read. */
  readonly skipped: number;
}

/**
 * The end of a stream of bytes, bounded: what is older is dropped. Readers keep their own place in
 * the stream, so a slow one costs nothing and misses what it was too slow for.
 */
export class Scrollback {
  readonly #capacity: number;
  #pieces: Uint8Array[] = [];
  #held = 0;
  #total = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many bytes there ever were: where the next ones begin. */
  get total(): number {
    return this.#total;
  }

  /** Adds to the end, and drops what is too much from the start. */
  append(data: Uint8Array): void {
    this.#total += data.length;
    const kept = data.length > this.#capacity ? data.subarray(data.length - this.#capacity) : data;
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.length + kept.length <= pieceSize)
      this.#pieces[this.#pieces.length - 1] = joined([last, kept]);
    else this.#pieces.push(kept.slice());
    this.#held += kept.length;
    while (this.#held > this.#capacity) this.#dropFrom(this.#held - this.#capacity);
  }

  /** Everything from a place in the stream on, as far as it is still kept. */
  since(place: number): ScrollbackPart {
    const start = this.#total - this.#held;
    const from = Math.min(Math.max(place, start), this.#total);
    const parts: Uint8Array[] = [];
    let offset = start;
    for (const piece of this.#pieces) {
      if (offset + piece.length > from) parts.push(piece.subarray(Math.max(0, from - offset)));
      offset += piece.length;
    }
    return { data: joined(parts), next: this.#total, skipped: Math.max(0, from - place) };
  }

  #dropFrom(excess: number): void {
    const [first, ...others] = this.#pieces;
    if (first === undefined) return;
    const dropped = Math.min(excess, first.length);
    this.#pieces = dropped === first.length ? others : [first.subarray(dropped), ...others];
    this.#held -= dropped;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
