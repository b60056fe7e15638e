/** Names offered at most. */
const offered = 3;

/**
 * Those of `names` that somebody who typed `name` may have meant, the closest first: they differ by
 * few letters for their length, or one begins with the other.
 */
export function closeNames(name: string, names: readonly string[]): readonly string[] {
  const slips = Math.max(1, Math.floor(name.length / 3));
  return names
    .map((candidate) => ({ candidate, distance: distance(name, candidate) }))
    .filter(
      ({ candidate, distance }) =>
        distance <= slips || (name.length >= 2 && candidate.startsWith(name)),
    )
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, offered)
    .map(({ candidate }) => candidate);
}

/**
 * How many letters must be put in, left out, changed, or swapped with their neighbour to make `b` of
 * `a`: the optimal string alignment distance (a restricted Damerau-Levenshtein distance).
 */
export function distance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, at(last, j) + 1, at(row, j - 1) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(beforeLast, j - 2) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
