import { fail, type Result } from '../../../base/result.ts';
import { commit } from '../../../pool/commit.ts';
import type { Revision, Transaction } from '../../../pool/database.ts';
import type { Failure } from '../../../pool/failure.ts';
import { prefixes } from '../../../pool/keys.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { NetworkRecord } from '../../../pool/records/network.ts';
import { absent, put, remove, requiring, together, writing } from '../../../pool/transaction.ts';

/**
 * `network-bridges/<bridge>`: the id of the network that has this bridge on every host. Two networks
 * on one bridge would be one network that does not say so.
 */
function bridgeKey(bridge: string): string {
  return `${prefixes.networkBridges}${bridge}`;
}

/** Makes a network's record, and takes its name and its bridge. */
export function creatingNetwork(pool: Pool, network: NetworkRecord): Transaction {
  const key = bridgeKey(network.bridge);
  return together(
    pool.networks.creating(network),
    requiring(absent(key)),
    writing(put(key, network.id)),
  );
}

/** Lets go of a network's bridge; the record goes in the same transaction. */
export function freeingBridge({ bridge }: NetworkRecord): Transaction {
  return writing(remove(bridgeKey(bridge)));
}

/** Does a transaction that takes a bridge: if it fails because the bridge is taken, it says so. */
export async function commitBridge(
  pool: Pool,
  { bridge }: NetworkRecord,
  ...parts: readonly Transaction[]
): Promise<Result<Revision, Failure>> {
  const written = await commit(pool.database, ...parts);
  if (written.ok || written.error.reason !== 'CONFLICT') return written;
  const taken = await pool.database.get(bridgeKey(bridge));
  if (!taken.ok) return taken;
  return taken.value === null ? written : fail(bridgeTaken(bridge, taken.value.value));
}

function bridgeTaken(bridge: string, network: string): Failure {
  return {
    reason: 'NAME_TAKEN',
    message: `the bridge ${bridge} is the network ${network}'s already`,
    remedy: 'Choose another bridge, or leave it out to have one made.',
    resource: { type: 'network', name: network },
    field: 'bridge',
  };
}
