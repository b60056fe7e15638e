import { present } from '../../base/assert.ts';
import type { Random } from '../../base/random.ts';
import {
  answered,
  compareAndSwap,
  get,
  type KeyReply,
  type KeyValueInput,
  type KeyValueOperation,
  put,
  remove,
  transaction,
} from './key-value.ts';

/** A time at which nothing else happens: between two operations there are this many. */
const apart = 1000;

/** What a history should be like. */
export interface HistoryShape {
  readonly operations: number;
  readonly keys: number;
  /** How many operations are under way at a time, about. */
  readonly concurrency: number;
  /** How likely an answer gets lost. */
  readonly unknown: number;
  /** Whether the answers show revisions. */
  readonly revisions: boolean;
}

/**
 * A linearizable history: operations are done one after another, each at its moment, and are then
 * said to have begun before and ended after it.
 */
export function randomHistory(random: Random, shape: HistoryShape): KeyValueOperation[] {
  const store = new SequentialStore();
  const history: KeyValueOperation[] = [];
  const width = shape.concurrency * apart;
  for (let at = 1; at <= shape.operations; at += 1) {
    const input = randomRequest(random, store, shape.keys, at);
    const isLost = random.chance(shape.unknown);
    // What has no answer may have had no effect either.
    const output = isLost && random.chance(0.5) ? null : store.run(input, shape.revisions);
    history.push({
      process: `client ${at}`,
      invoked: at * apart - random.below(width),
      returned: isLost ? null : at * apart + random.below(width),
      input,
      output: isLost ? null : output,
    });
  }
  return history;
}

function randomRequest(
  random: Random,
  store: SequentialStore,
  keys: number,
  number: number,
): KeyValueInput {
  const key = `k${random.below(keys)}`;
  const value = `${number}`;
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return get(key);
    case 3:
    case 4:
      return put(key, value);
    case 5:
      return remove(key);
    case 6: {
      const mod = random.chance(0.7) ? (store.keys.get(key)?.mod ?? 0) : random.below(number);
      return compareAndSwap(key, { mod }, value);
    }
    default: {
      const current = store.keys.get(key)?.value ?? 'none';
      return transaction(
        [{ key, value: random.chance(0.7) ? current : '0' }],
        [
          { kind: 'put', key, value },
          { kind: 'get', key },
        ],
        [{ kind: 'get', key }],
      );
    }
  }
}

/** The API in its plainest form, one request after another. */
class SequentialStore {
  readonly keys = new Map<string, { readonly value: string; readonly mod: number }>();
  #revision = 1;

  run({ compares, success, failure }: KeyValueInput, withRevisions: boolean) {
    const succeeded = compares.every((compare) => {
      const stored = this.keys.get(compare.key);
      return 'mod' in compare
        ? (stored?.mod ?? 0) === compare.mod
        : stored?.value === compare.value;
    });
    const before = this.#revision;
    const next = before + 1;
    const replies: KeyReply[] = [];
    for (const operation of succeeded ? success : failure) {
      const { key } = operation;
      const stored = this.keys.get(key);
      if (operation.kind === 'get') {
        const mod = withRevisions ? (stored?.mod ?? 0) : null;
        const found = stored === undefined ? null : { value: stored.value, mod };
        replies.push({ kind: 'get', found });
      } else if (operation.kind === 'put') {
        this.keys.set(key, { value: operation.value, mod: next });
        this.#revision = next;
        replies.push({ kind: 'put' });
      } else {
        const deleted = this.keys.delete(key) ? 1 : 0;
        if (deleted > 0) this.#revision = next;
        replies.push({ kind: 'delete', deleted });
      }
    }
    return answered(withRevisions ? this.#revision : null, replies, succeeded);
  }
}

/** A way to spoil a linearizable history, so that certainly no order explains it. */
export type Spoiling = (
  random: Random,
  history: readonly KeyValueOperation[],
) => KeyValueOperation[];

/** Ways to spoil a history that has revisions and some answers. */
export const spoilings: Readonly<Record<string, Spoiling>> = {
  'a read sees what nobody wrote': (random, history) => {
    const position = pickAnswered(random, history);
    return replaced(history, position, {
      input: get('k0'),
      output: answered(null, [{ kind: 'get', found: { value: 'never written', mod: null } }]),
    });
  },
  'two writes have one revision': (random, history) => {
    const position = pickAnswered(random, history);
    const output = answered(7, [{ kind: 'put' }]);
    const one = replaced(history, position, { input: put('k0', 'one'), output });
    const twin = present(one[position], 'it was replaced');
    return [...one, { ...twin, process: 'twin', input: put('k1', 'other') }];
  },
  'a write is gone': (_random, history) => {
    const end = endOf(history);
    return [
      ...history,
      alone(end + 1, put('k0', 'last'), answered(null, [{ kind: 'put' }])),
      alone(end + 3, get('k0'), answered(null, [{ kind: 'get', found: null }])),
    ];
  },
  'a revision goes back': (_random, history) => {
    const end = endOf(history);
    const [early, late] = [answered(9001, [{ kind: 'put' }]), answered(9000, [{ kind: 'put' }])];
    return [
      ...history,
      alone(end + 1, put('k0', 'early'), early),
      alone(end + 3, put('k1', 'late'), late),
    ];
  },
};

function pickAnswered(random: Random, history: readonly KeyValueOperation[]): number {
  const positions = [...history.keys()].filter((at) => history[at]?.returned !== null);
  return random.pick(positions);
}

function replaced(
  history: readonly KeyValueOperation[],
  position: number,
  by: Pick<KeyValueOperation, 'input' | 'output'>,
): KeyValueOperation[] {
  return history.map((each, at) => (at === position ? { ...each, ...by } : each));
}

function endOf(history: readonly KeyValueOperation[]): number {
  return Math.max(...history.map(({ invoked, returned }) => returned ?? invoked));
}

function alone(
  invoked: number,
  input: KeyValueInput,
  output: KeyValueOperation['output'],
): KeyValueOperation {
  return { process: `client at ${invoked}`, invoked, returned: invoked + 1, input, output };
}
