import { randomInt } from 'node:crypto';
import { seededRandom } from '../../../base/random.ts';
import type { Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { backOffDelay } from '../../../pool/back-off.ts';
import type { Clock } from '../../../pool/clock.ts';
import { type Failure, isTransient } from '../../../pool/failure.ts';

/** All of a pool may start at once, so the database is looked for often at first. */
const retry = { first: milliseconds(100), most: milliseconds(3_000) };

/**
 * Does idempotent work that a service needs before it can serve, again and again while the pool
 * database does not answer; without end, since a pool may come up in any order.
 */
export async function whenDatabaseAnswers<Value>(
  { clock, log }: { clock: Clock; log: { warn(fields: object, message: string): void } },
  work: () => Promise<Result<Value, Failure>>,
): Promise<Result<Value, Failure>> {
  const random = seededRandom(randomInt(2 ** 32));
  for (let attempt = 1; ; attempt += 1) {
    const result = await work();
    if (result.ok || !isTransient(result.error)) return result;
    log.warn({ failure: result.error }, 'waiting for the pool database');
    await clock.sleep(backOffDelay(retry, attempt, random));
  }
}
