import type { Milliseconds } from '../../base/units.ts';

/** Sentences that are remembered at a time; of a flood of different ones the rest is not told. */
const rememberedMax = 1000;

/** What others can cause again and again, such as being refused, is told once in a while. */
export class Repeats {
  readonly #quietTime: Milliseconds;
  readonly #now: () => number;
  /** When each was told, the oldest first. */
  readonly #told = new Map<string, number>();

  /** The same is told again after `quietTime`. */
  constructor(quietTime: Milliseconds, now: () => number = () => performance.now()) {
    this.#quietTime = quietTime;
    this.#now = now;
  }

  /** Whether this is to be told now. */
  isNews(sentence: string): boolean {
    const now = this.#now();
    for (const [known, since] of this.#told) {
      if (now - since < this.#quietTime) break;
      this.#told.delete(known);
    }
    if (this.#told.has(sentence) || this.#told.size >= rememberedMax) return false;
    this.#told.set(sentence, now);
    return true;
  }
}
