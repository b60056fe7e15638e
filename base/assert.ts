/** Thrown when the program itself is wrong. Nothing catches it: the process crashes and restarts. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/** States something that holds unless there is a bug in this program. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Returns `value`, which cannot be missing unless there is a bug in this program. */
export function present<Value>(value: Value | null | undefined, message: string): Value {
  if (value === null || value === undefined) throw new AssertionFailure(message);
  return value;
}

/** Placed after an exhaustive `switch`: the compiler rejects it while a case is not handled. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unhandled case: ${JSON.stringify(value)}`);
}
