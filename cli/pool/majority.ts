import { count } from '../output/humane.ts';

/** How many voters must run so that something can be changed. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** What a number of voters means: `2 of 3 must run, so 1 may be lost`. */
export function majorityWords(voters: number): string {
  if (voters === 0) return 'nobody would vote';
  const must = majorityOf(voters);
  const spare = voters - must;
  const left = spare === 0 ? 'none may be lost' : `${spare} may be lost`;
  return `${must} of ${voters} must run, so ${left}`;
}

/** The same before and after a change: `afterwards 2 of 2 must run, so none may be lost (now 2 of 3 ...)`. */
export function majorityChange(before: number, after: number): string {
  if (before === after) return `the ${count(after, 'voter')} stay: ${majorityWords(after)}`;
  return `afterwards ${majorityWords(after)} (now ${majorityWords(before)})`;
}
