import type { Random } from '../../../base/random.ts';

/** The longest input: beyond it, more is not better. */
const lengthMax = 600;

/** Another input, made from one of those that have reached something. */
export function mutate(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  let bytes = corpus.length === 0 || random.chance(0.05) ? fresh(random) : random.pick(corpus);
  for (let count = 1 + random.below(6); count > 0; count -= 1)
    bytes = changed(random, bytes, corpus);
  return bytes.slice(0, lengthMax);
}

function fresh(random: Random): Uint8Array {
  return Uint8Array.from({ length: 8 + random.below(200) }, () => random.below(256));
}

function changed(random: Random, bytes: Uint8Array, corpus: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = random.below(16);
  switch (random.below(5)) {
    case 0:
      return bytes.with(Math.min(at, Math.max(0, bytes.length - 1)), random.below(256));
    case 1:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 2:
      return joined(bytes.subarray(0, at), fresh(random).subarray(0, length), bytes.subarray(at));
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + 4 * length), bytes.subarray(at));
    default: {
      const other = corpus.length === 0 ? fresh(random) : random.pick(corpus);
      return joined(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)));
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = Buffer.concat(parts);
  return all.length === 0 ? new Uint8Array(1) : new Uint8Array(all);
}
