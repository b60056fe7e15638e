/** The middle of the values; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** `median (least to most)`, in seconds. */
export function summary(milliseconds: readonly number[]): string {
  const [least, middle, most] = [
    Math.min(...milliseconds),
    median(milliseconds),
    Math.max(...milliseconds),
  ].map((value) => (value / 1000).toFixed(2));
  return `${middle} s (${least} to ${most})`;
}
