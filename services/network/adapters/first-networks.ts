import { randomInt, randomUUID } from 'node:crypto';
import { seededRandom } from '../../../base/random.ts';
import { ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { backOffDelay } from '../../../pool/back-off.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Failure } from '../../../pool/failure.ts';
import { prefixes } from '../../../pool/keys.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { NetworkId } from '../../../pool/records/identifiers.ts';
import { absent, put, requiring, writing } from '../../../pool/transaction.ts';
import { commitBridge, creatingNetwork } from './bridges.ts';
import { networkOf } from './network-requests.ts';

/** Between attempts: all of a pool may start at once, so the database is tried often at first. */
const retry = { first: milliseconds(100), most: milliseconds(3_000) };

/** A network of the configuration. */
export interface FirstNetwork {
  readonly name: string;
  readonly bridge: string;
}

/** What is needed to make networks. */
export interface FirstNetworksSettings {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  readonly signal: AbortSignal;
}

/**
 * Sees that every network of the configuration was made once in the life of the pool: the transaction
 * that makes it also writes `first-networks/<name>`. So of hosts that start at once one makes it, and
 * one that was deleted since does not come back. It goes on until it is done or the signal aborts.
 */
export async function makeFirstNetworks(
  settings: FirstNetworksSettings,
  configured: readonly FirstNetwork[],
): Promise<void> {
  const { clock, log, signal } = settings;
  const random = seededRandom(randomInt(2 ** 32));
  for (const network of configured)
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const made = await makeOnce(settings, network);
      if (made.ok) break;
      log.warn({ network: network.name, failure: made.error }, 'a first network is not made yet');
      await clock.sleep(backOffDelay(retry, attempt, random), signal);
    }
}

async function makeOnce(
  { pool, clock, log }: FirstNetworksSettings,
  { name, bridge }: FirstNetwork,
): Promise<Result<void, Failure>> {
  const key = `${prefixes.firstNetworks}${name}`;
  const earlier = await pool.database.get(key);
  if (!earlier.ok) return earlier;
  if (earlier.value !== null) return ok(undefined);
  const network = networkOf(randomUUID() as string as NetworkId, clock, { name, bridge, mtu: 0 });
  if (!network.ok) return network;
  const made = await commitBridge(
    pool,
    network.value,
    creatingNetwork(pool, network.value),
    requiring(absent(key)),
    writing(put(key, network.value.id)),
  );
  if (made.ok) log.info({ network: name, bridge }, 'made a first network');
  if (made.ok || made.error.reason !== 'NAME_TAKEN') return made.ok ? ok(undefined) : made;
  // Another host was faster, or an operator made one of this name or bridge on purpose.
  const other = await pool.database.get(key);
  if (!other.ok) return other;
  if (other.value === null) log.warn({ failure: made.error }, 'a first network is left out');
  return ok(undefined);
}
