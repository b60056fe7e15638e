import { present } from '../../base/assert.ts';
import type { Model, Operation } from './model.ts';
import { search } from './search.ts';

/** Operations that an explanation shows; earlier ones are only counted. */
const shownMax = 24;

/** Searches that are spent on leaving out reads which do not matter. */
const omissionsMax = 200;

/**
 * Says of a history that no order explains why, with few operations: those up to the first answer
 * that cannot be explained, without the reads that are not needed to see it.
 */
export function explain<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  searchMax: number,
): string {
  const isBad = (part: readonly Operation<Input, Output>[]): boolean =>
    search(model, part, searchMax).kind === 'none';
  const shown = withoutReads(model, firstBadPart(history, isBad), isBad);
  const sorted = [...shown].sort((a, b) => a.invoked - b.invoked);
  const found = search(model, sorted, searchMax);
  const lines = sorted.map((each) => `  ${describe(model, each)}`);
  const hidden = Math.max(0, lines.length - shownMax);
  return [
    `no order explains these ${sorted.length} operations:`,
    ...(hidden === 0 ? [] : [`  ... ${hidden} earlier ones`]),
    ...lines.slice(hidden),
    ...(found.kind === 'none' ? [furthest(model, sorted, found.longest)] : []),
  ].join('\n');
}

/** The history up to the first answer that cannot be explained: what came later is not known. */
function firstBadPart<Input, Output>(
  history: readonly Operation<Input, Output>[],
  isBad: (part: readonly Operation<Input, Output>[]) => boolean,
): readonly Operation<Input, Output>[] {
  const ends = history.flatMap(({ returned }) => (returned === null ? [] : [returned]));
  ends.sort((a, b) => a - b);
  const upTo = (count: number): readonly Operation<Input, Output>[] => {
    const end = ends[count] ?? Number.POSITIVE_INFINITY;
    return history
      .filter(({ invoked }) => invoked <= end)
      .map((each) => ((each.returned ?? 0) > end ? unanswered(each) : each));
  };
  // Whatever is bad stays bad when more is known.
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBad(upTo(middle))) high = middle;
    else low = middle + 1;
  }
  return upTo(high);
}

function unanswered<Input, Output>(operation: Operation<Input, Output>): Operation<Input, Output> {
  return { ...operation, returned: null, output: null };
}

function withoutReads<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  isBad: (part: readonly Operation<Input, Output>[]) => boolean,
): readonly Operation<Input, Output>[] {
  const isRead = ({ input }: Operation<Input, Output>): boolean => model.onlyReads(input);
  let kept = history.filter((each) => each.returned !== null || !isRead(each));
  const newestFirst = kept.filter(isRead).sort((a, b) => b.invoked - a.invoked);
  for (const read of newestFirst.slice(0, omissionsMax)) {
    const rest = kept.filter((each) => each !== read);
    if (isBad(rest)) kept = rest;
  }
  return kept;
}

function describe<State, Input, Output>(
  model: Model<State, Input, Output>,
  { process, invoked, returned, input, output }: Operation<Input, Output>,
): string {
  return `${process}: ${model.describe(input, output)} [${invoked}, ${returned ?? 'unknown'}]`;
}

/** What the best order explains, and what cannot follow it. */
function furthest<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  order: readonly number[],
): string {
  const words = (position: number): string => {
    const { input, output } = present(history[position], 'a position in the history');
    return model.describe(input, output);
  };
  const rest = [...history.keys()].filter(
    (position) => !order.includes(position) && history[position]?.returned !== null,
  );
  const last = order.slice(-4).map(words);
  const after = last.length === 0 ? 'from the beginning' : `after ${last.join(', then ')}`;
  return `${after} there is no place for ${rest.slice(0, 4).map(words).join(' or ')}`;
}
