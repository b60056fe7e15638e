import {
  describeRequest,
  type KeyCompare,
  type KeyOperation,
  type KeyReply,
  type KeyValueInput,
  type KeyValueOperation,
  type KeyValueOutput,
} from './key-value.ts';
import type { Model } from './model.ts';

/** What a key holds. Its revision is known only within bounds where a write had no answer. */
interface Stored {
  readonly value: string;
  readonly least: number;
  readonly most: number;
}

/** Some keys of the store, and a revision that the store has at least. */
export interface KeyValueState {
  readonly revision: number;
  readonly keys: ReadonlyMap<string, Stored>;
}

/**
 * The key-value API as etcd's clients see it (https://etcd.io/docs/v3.4/learning/api/): a request
 * that changes something has a revision of its own, higher than all before it; one that changes
 * nothing shows the newest; a key shows the revision that wrote it last.
 */
export const keyValueModel: Model<KeyValueState, KeyValueInput, KeyValueOutput> = {
  initial: { revision: 0, keys: new Map() },
  step,
  nameOf: ({ revision, keys }) =>
    [...keys]
      .map(([key, { value, least, most }]) => JSON.stringify([key, value, least, most]))
      .sort()
      .join()
      .concat(`@${revision}`),
  orderOf: ({ revision }) => revision,
  onlyReads: ({ success, failure }) => [...success, ...failure].every(({ kind }) => kind === 'get'),
  partition,
  describe: describeRequest,
};

function step(
  state: KeyValueState,
  input: KeyValueInput,
  output: KeyValueOutput | null,
): readonly KeyValueState[] {
  return branches(state, input.compares).flatMap(({ state: at, holds }) => {
    if (output !== null && output.succeeded !== holds) return [];
    const next = run(at, holds ? input.success : input.failure, output);
    return next === null ? [] : [next];
  });
}

/** A compare with a revision that is not known exactly holds or not: both are possible. */
function branches(
  state: KeyValueState,
  compares: readonly KeyCompare[],
): readonly { readonly state: KeyValueState; readonly holds: boolean }[] {
  const [first, ...rest] = compares;
  if (first === undefined) return [{ state, holds: true }];
  const stored = state.keys.get(first.key);
  if ('value' in first)
    return stored?.value === first.value ? branches(state, rest) : [{ state, holds: false }];
  const { least, most } = stored ?? { least: 0, most: 0 };
  if (first.mod < least || first.mod > most) return [{ state, holds: false }];
  if (stored === undefined || least === most) return branches(state, rest);
  const keys = new Map(state.keys).set(first.key, {
    value: stored.value,
    least: first.mod,
    most: first.mod,
  });
  return [...branches({ ...state, keys }, rest), { state, holds: false }];
}

/** Does one branch; null if it would have been answered otherwise. */
function run(
  state: KeyValueState,
  operations: readonly KeyOperation[],
  output: KeyValueOutput | null,
): KeyValueState | null {
  if (output !== null && output.replies.length !== operations.length) return null;
  const keys = new Map(state.keys);
  const shown = output?.revision ?? null;
  const next = { least: shown ?? state.revision + 1, most: shown ?? Number.POSITIVE_INFINITY };
  let changed = false;
  for (const [at, operation] of operations.entries()) {
    const { key } = operation;
    const stored = keys.get(key);
    if (output !== null && !answers(stored, operation, output.replies[at], shown)) return null;
    if (operation.kind === 'put') keys.set(key, { value: operation.value, ...next });
    else if (operation.kind === 'delete') keys.delete(key);
    else if (stored !== undefined) keys.set(key, asShown(stored, output?.replies[at]));
    changed ||= operation.kind === 'put' || (operation.kind === 'delete' && stored !== undefined);
  }
  return settle(state, keys, changed, shown);
}

function answers(
  stored: Stored | undefined,
  operation: KeyOperation,
  reply: KeyReply | undefined,
  revision: number | null,
): boolean {
  switch (operation.kind) {
    case 'put':
      return reply?.kind === 'put';
    case 'delete':
      return reply?.kind === 'delete' && reply.deleted === (stored === undefined ? 0 : 1);
    case 'get': {
      if (reply?.kind !== 'get') return false;
      const { found } = reply;
      if (found === null || stored === undefined) return found === null && stored === undefined;
      const mod = found.mod ?? stored.least;
      const isKnown = mod <= (revision ?? mod);
      return found.value === stored.value && stored.least <= mod && mod <= stored.most && isKnown;
    }
  }
}

function asShown(stored: Stored, reply: KeyReply | undefined): Stored {
  const mod = reply?.kind === 'get' ? (reply.found?.mod ?? null) : null;
  return mod === null ? stored : { ...stored, least: mod, most: mod };
}

/** The store's revision rises with every change, and bounds what is not known of the keys'. */
function settle(
  before: KeyValueState,
  keys: Map<string, Stored>,
  changed: boolean,
  shown: number | null,
): KeyValueState | null {
  const least = before.revision + (changed ? 1 : 0);
  if (shown !== null && shown < least) return null;
  let revision = shown ?? least;
  for (const [key, stored] of keys) {
    revision = Math.max(revision, stored.least);
    const isOld = changed && before.keys.get(key)?.least === stored.least;
    const most = shown === null ? stored.most : Math.min(stored.most, isOld ? shown - 1 : shown);
    if (most < stored.least) return null;
    if (most < stored.most) keys.set(key, { ...stored, most });
  }
  return { revision, keys };
}

/** Keys that some request names together stay together; the others do not concern one another. */
function partition(history: readonly KeyValueOperation[]): readonly KeyValueOperation[][] {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    const parent = parents.get(key) ?? key;
    return parent === key ? key : rootOf(parent);
  };
  for (const { input } of history) {
    const [first, ...others] = keysOf(input);
    for (const other of others) parents.set(rootOf(other), rootOf(first ?? other));
  }
  const parts = new Map<string, KeyValueOperation[]>();
  for (const operation of history) {
    const [first] = keysOf(operation.input);
    if (first === undefined) continue;
    const root = rootOf(first);
    const part = parts.get(root);
    if (part === undefined) parts.set(root, [operation]);
    else part.push(operation);
  }
  return [...parts.values()];
}

function keysOf({ compares, success, failure }: KeyValueInput): readonly string[] {
  return [...compares, ...success, ...failure].map(({ key }) => key);
}
