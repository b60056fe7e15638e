/**
 * A checker for histories of clients: is there an order of their operations, one after another,
 * that explains every answer, and in which no operation comes before one that had ended when it
 * began (Herlihy and Wing, *Linearizability*, 1990)?
 *
 * How to use it on a key-value store that speaks etcd's API:
 *
 *     const history: KeyValueOperation[] = [];
 *     const invoked = clock();                      // any clock that all clients share
 *     const answer = await client.put('a', '1');
 *     history.push({
 *       process: 'client 1',
 *       invoked,
 *       returned: clock(),                          // null: it is not known whether it happened
 *       input: put('a', '1'),                       // key-value.ts: get, put, remove,
 *                                                   // compareAndSwap, transaction
 *       output: answered(revision, [{ kind: 'put' }]), // null where `returned` is
 *     });
 *     const verdict = checkKeyValueHistory(history); // key-value-history.ts
 *     t.is(verdict.kind, 'linearizable', explanationOf(verdict));
 *
 * What certainly had no effect (a refusal, a member without a leader) is left out of the history.
 * What may or may not have had one (a time-out, a broken connection) has `returned: null` and
 * `output: null`; so have operations that are under way when the history ends. Reads of unknown
 * outcome say nothing, and cost nothing. Serializable reads are not linearizable: leave them out.
 *
 * Operations that only share an instant (`returned` of one is `invoked` of the other) count as
 * concurrent, so a coarse clock accuses nobody. The clock must not go back.
 *
 * Any other object is checked by `checkLinearizable` with a `Model` of it. The search is
 * exponential at worst: it is bounded by `searchMax` steps, and then `undecided`. What makes it
 * long are many operations under way at once on one key, and many of unknown outcome; more keys,
 * more reads between the writes and answers with revisions make it short.
 */
import { explain } from './explanation.ts';
import type { Model, Operation } from './model.ts';
import { search } from './search.ts';

export type { Model, Operation };

/** What the checker says of a history. */
export type Verdict =
  | { readonly kind: 'linearizable' }
  /** `explanation`: the fewest operations found that no order explains, and how far one came. */
  | { readonly kind: 'not-linearizable'; readonly explanation: string }
  /** The bound of the search was reached in the part with these operations. */
  | { readonly kind: 'undecided'; readonly operations: number };

/** Steps of the search in each part of a history; some seconds of a processor at most. */
export const defaultSearchMax = 2_000_000;

/** Whether the history is one of an object that does what the model says. */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  searchMax: number = defaultSearchMax,
): Verdict {
  let undecided: Verdict | null = null;
  for (const part of model.partition(history)) {
    const found = search(model, part, searchMax);
    if (found.kind === 'none')
      return { kind: 'not-linearizable', explanation: explain(model, part, searchMax) };
    if (found.kind === 'undecided') undecided ??= { kind: 'undecided', operations: part.length };
  }
  return undecided ?? { kind: 'linearizable' };
}

/** The verdict for people: what to print where a history should be linearizable. */
export function explanationOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'linearizable':
      return 'the history is linearizable';
    case 'not-linearizable':
      return verdict.explanation;
    case 'undecided':
      return `the search was too long in a part of ${verdict.operations} operations`;
  }
}
