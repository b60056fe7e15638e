/**
 * Numbers that rise over restarts: `incarnation` in the upper bits, a count in the lower 32. They
 * name proposals, changes of the membership, and reads.
 */
export function numbers(incarnation: number): () => number {
  let next = incarnation * 2 ** 32;
  return () => {
    next += 1;
    return next;
  };
}
