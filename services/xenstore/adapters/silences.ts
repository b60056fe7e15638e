import type { Milliseconds } from '../../../base/units.ts';

/** What is kept quiet at once; beyond it the oldest is told of again. */
const keptMax = 1024;

/** What guests can make happen at any rate, and what is told of only so often, each thing by its key. */
export class Silences<Key> {
  readonly #silence: Milliseconds;
  /** When each was told of, the oldest first. */
  readonly #told = new Map<Key, number>();

  /** `silence`: how long the same thing is not told of again. */
  constructor(silence: Milliseconds) {
    this.#silence = silence;
  }

  /** Whether it is to be told of now; if so, not again for a while. */
  tells(key: Key): boolean {
    const now = performance.now();
    const last = this.#told.get(key);
    if (last !== undefined && now - last < this.#silence) return false;
    this.#told.delete(key);
    this.#told.set(key, now);
    for (const [each, at] of this.#told) {
      if (this.#told.size <= keptMax && now - at < this.#silence) break;
      this.#told.delete(each);
    }
    return true;
  }
}
