import type { Operation } from './model.ts';

/** What one operation of a request does to one key. */
export type KeyOperation =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string };

/** A condition. A key that is not there has the revision 0, and no value. */
export type KeyCompare =
  | { readonly key: string; readonly mod: number }
  | { readonly key: string; readonly value: string };

/** A request, as a transaction: if all compares hold `success` is done, otherwise `failure`. */
export interface KeyValueInput {
  readonly compares: readonly KeyCompare[];
  readonly success: readonly KeyOperation[];
  readonly failure: readonly KeyOperation[];
}

/** What became of one operation. `mod` is null where the client did not look at it. */
export type KeyReply =
  | {
      readonly kind: 'get';
      readonly found: { readonly value: string; readonly mod: number | null } | null;
    }
  | { readonly kind: 'put' }
  | { readonly kind: 'delete'; readonly deleted: number };

/** An answer. `revision` is the response header's, null where the client did not look at it. */
export interface KeyValueOutput {
  readonly revision: number | null;
  readonly succeeded: boolean;
  readonly replies: readonly KeyReply[];
}

/** One operation of a client of the key-value API. */
export type KeyValueOperation = Operation<KeyValueInput, KeyValueOutput>;

/** Reads a key, linearizably. */
export function get(key: string): KeyValueInput {
  return transaction([], [{ kind: 'get', key }]);
}

/** Writes a key. */
export function put(key: string, value: string): KeyValueInput {
  return transaction([], [{ kind: 'put', key, value }]);
}

/** Deletes a key. */
export function remove(key: string): KeyValueInput {
  return transaction([], [{ kind: 'delete', key }]);
}

/** Writes a key if it has this revision (0: is not there) or this value. */
export function compareAndSwap(
  key: string,
  expected: { readonly mod: number } | { readonly value: string },
  value: string,
): KeyValueInput {
  return transaction([{ key, ...expected }], [{ kind: 'put', key, value }]);
}

/** Any transaction of operations on single keys. */
export function transaction(
  compares: readonly KeyCompare[],
  success: readonly KeyOperation[],
  failure: readonly KeyOperation[] = [],
): KeyValueInput {
  return { compares, success, failure };
}

/** An answer; `succeeded` is which branch was taken. */
export function answered(
  revision: number | null,
  replies: readonly KeyReply[],
  succeeded = true,
): KeyValueOutput {
  return { revision, succeeded, replies };
}

/** Whether the answer says that something was written. */
export function hasWritten({ replies }: KeyValueOutput): boolean {
  return replies.some(
    (reply) => reply.kind === 'put' || (reply.kind === 'delete' && reply.deleted > 0),
  );
}

/** A request and its answer in a few words: `put a=1, at 7`. */
export function describeRequest(input: KeyValueInput, output: KeyValueOutput | null): string {
  const conditions = input.compares.map((compare) =>
    'mod' in compare ? `${compare.key} is of ${compare.mod}` : `${compare.key}=${compare.value}`,
  );
  const condition = conditions.length === 0 ? '' : `if ${conditions.join(' and ')}: `;
  if (output === null) return `${condition}${input.success.map(describeOperation).join(' and ')}`;
  const { revision, succeeded, replies } = output;
  const branch = succeeded ? input.success : input.failure;
  const done = branch.map((operation, at) => describeOperation(operation) + showReply(replies[at]));
  const result = succeeded || done.length > 0 ? done.join(' and ') : 'refused';
  return `${condition}${succeeded || done.length === 0 ? '' : 'else '}${result}${revision === null ? '' : `, at ${revision}`}`;
}

function describeOperation(operation: KeyOperation): string {
  const { kind, key } = operation;
  return kind === 'put' ? `put ${key}=${operation.value}` : `${kind} ${key}`;
}

function showReply(reply: KeyReply | undefined): string {
  if (reply?.kind === 'delete') return ` (${reply.deleted})`;
  if (reply?.kind !== 'get') return '';
  if (reply.found === null) return ' -> nothing';
  const { value, mod } = reply.found;
  return ` -> ${value}${mod === null ? '' : ` of ${mod}`}`;
}
