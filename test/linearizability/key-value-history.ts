import { checkLinearizable, type Verdict } from './checker.ts';
import { answered, describeRequest, hasWritten, type KeyValueOperation } from './key-value.ts';
import { keyValueModel } from './key-value-model.ts';

/**
 * Whether a history of the key-value API is linearizable: each key (and keys that transactions
 * name together) by the model, and all keys together by the revisions that the answers show.
 */
export function checkKeyValueHistory(
  history: readonly KeyValueOperation[],
  searchMax?: number,
): Verdict {
  const explanation = checkRevisions(history);
  if (explanation !== null) return { kind: 'not-linearizable', explanation };
  return checkLinearizable(keyValueModel, withSeenWrites(history), searchMax);
}

/**
 * A write without an answer whose value was read did take effect, at the revision that the read
 * shows, if nobody else wrote that value. Knowing that, the search need not guess.
 */
function withSeenWrites(history: readonly KeyValueOperation[]): readonly KeyValueOperation[] {
  const seen = new Map<string, number>();
  const writers = new Map<string, number>();
  for (const { input, output } of history) {
    const { success, failure } = input;
    for (const operation of [...success, ...failure])
      if (operation.kind === 'put') {
        const name = JSON.stringify([operation.key, operation.value]);
        writers.set(name, (writers.get(name) ?? 0) + 1);
      }
    for (const [at, reply] of (output?.replies ?? []).entries()) {
      const key = (output?.succeeded === true ? success : failure)[at]?.key;
      if (reply.kind === 'get' && typeof reply.found?.mod === 'number')
        seen.set(JSON.stringify([key, reply.found.value]), reply.found.mod);
    }
  }
  return history.map((operation) => {
    const { returned, input } = operation;
    const [only, ...others] = [...input.success, ...input.failure];
    if (returned !== null || only?.kind !== 'put' || others.length > 0) return operation;
    const name = JSON.stringify([only.key, only.value]);
    const revision = seen.get(name);
    if (revision === undefined || writers.get(name) !== 1) return operation;
    const output = answered(revision, [{ kind: 'put' }], input.success.length > 0);
    return { ...operation, returned: Number.POSITIVE_INFINITY, output };
  });
}

/**
 * The revisions of the answers must rise with real time over all keys: what begins after another
 * operation has ended shows no lower one, and a higher one if it wrote. No two writes share one.
 * Returns what is wrong, or null.
 */
export function checkRevisions(history: readonly KeyValueOperation[]): string | null {
  const shown = history.flatMap((operation) => {
    const { invoked, returned, output } = operation;
    if (returned === null || output === null || output.revision === null) return [];
    return [{ operation, invoked, returned, revision: output.revision, wrote: hasWritten(output) }];
  });
  const byBegin = shown.toSorted((a, b) => a.invoked - b.invoked);
  const byEnd = shown.toSorted((a, b) => a.returned - b.returned);
  const writers = new Map<number, KeyValueOperation>();
  let highest: (typeof shown)[number] | null = null;
  let ended = 0;
  for (const each of byBegin) {
    for (let end = byEnd[ended]; end !== undefined && end.returned < each.invoked; ) {
      if (highest === null || end.revision > highest.revision) highest = end;
      ended += 1;
      end = byEnd[ended];
    }
    if (highest !== null && each.revision < highest.revision + (each.wrote ? 1 : 0))
      return `the revision does not rise: ${show(highest.operation)} had ended before ${show(each.operation)}`;
    const writer = writers.get(each.revision);
    if (each.wrote && writer !== undefined)
      return `two writes have one revision: ${show(writer)} and ${show(each.operation)}`;
    if (each.wrote) writers.set(each.revision, each.operation);
  }
  return null;
}

function show({ process, input, output }: KeyValueOperation): string {
  return `"${describeRequest(input, output)}" of ${process}`;
}
