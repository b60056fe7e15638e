/** A source of randomness that a seed determines: the same seed gives the same sequence. */
export interface Random {
  /** A whole number from 0 to `bound` - 1. `bound` is from 1 to 2^32. */
  below(bound: number): number;
  /** True with the given probability, from 0 (never) to 1 (always). */
  chance(probability: number): boolean;
  /** One element of a list that is not empty. */
  pick<Item>(items: readonly Item[]): Item;
  /** A new source that this one determines; drawing from either does not disturb the other. */
  fork(): Random;
}

/**
 * A seeded source for simulations and tests; never for secrets. The generator is sfc32
 * (Chris Doty-Humphrey's Small Fast Counter, of the PractRand suite) on 32-bit words.
 */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 16; round += 1) next();
  return {
    below: (bound) => Math.floor((next() / 2 ** 32) * bound),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (items) => {
      const item = items[Math.floor((next() / 2 ** 32) * items.length)];
      if (items.length === 0) throw new RangeError('pick from an empty list');
      return item as (typeof items)[number];
    },
    fork: () => seededRandom(next() * 2 ** 20 + (next() >>> 12)),
  };
}
