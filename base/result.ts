/**
 * The outcome of an action that is allowed to fail. A failure that an operator, a client or a
 * guest can cause is a value of this type; a failure that only a bug can cause is an assertion
 * (`assert.ts`) and ends the process.
 */
export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure };

/** The action succeeded with `value`. */
export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

/** The action failed with `error`. */
export function fail<Failure>(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error };
}
