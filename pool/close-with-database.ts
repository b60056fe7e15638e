import { milliseconds } from '../base/units.ts';
import type { Clock } from './clock.ts';
import type { PoolDatabase } from './database.ts';

/**
 * How long a service that ends waits for its database: an election with some retries. What it would
 * still write then, whoever starts next finds out by itself, or ends by itself, as a lease does.
 */
export const closePatience = milliseconds(1_500);

/**
 * Ends a service, and then the way to its database; that ends earlier where the database does not
 * answer, so that nothing which asks it again and again keeps the service.
 */
export async function closeWithDatabase(
  database: Pick<PoolDatabase, 'close'>,
  clock: Clock,
  close: () => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const cut = clock.sleep(closePatience, done.signal).then(() => database.close());
  await close();
  done.abort();
  await cut;
}
