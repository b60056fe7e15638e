import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { Places } from './places.ts';

/** Streams that may be open at once, of all callers together, and of each. */
const openMax = 1000;
const openOfCallerMax = 250;

/** The streams of callers: each keeps something in the daemon until it ends. */
export class Streams {
  readonly #places = new Places(openMax, openOfCallerMax);

  /** Runs a stream of a caller's, if it may have one more. */
  async run(
    caller: string | null,
    body: () => Promise<Result<void, Failure>>,
  ): Promise<Result<void, Failure>> {
    if (!this.#places.take(caller)) return fail(tooMany);
    const result = await body();
    this.#places.leave(caller);
    return result;
  }
}

const tooMany: Failure = {
  reason: 'LIMIT',
  message: `${openOfCallerMax} streams of one caller, or ${openMax} of all, are open`,
  remedy: 'Cancel watches that are not needed.',
};

/** Reads how many levels below a path a caller wants; undefined is all. */
export function levelsOf(depth: number | undefined): Result<number | undefined, Failure> {
  if (depth === undefined || (depth >= 0 && depth <= levelsMax)) return ok(depth);
  return fail({
    reason: 'INVALID_FIELD',
    message: `EINVAL: ${depth} is no number of levels`,
    remedy: 'Give 0 or more; leave it out for all that is below.',
    field: 'depth',
  });
}

/** What WATCH takes has nine digits; a path has far fewer levels. */
const levelsMax = 999_999_999;
