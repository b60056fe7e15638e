import { randomUUID } from 'node:crypto';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Stored } from '../../../pool/collection.ts';
import { commit, nameTaken } from '../../../pool/commit.ts';
import type { Revision } from '../../../pool/database.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { NetworkId, Timestamp } from '../../../pool/records/identifiers.ts';
import type { NetworkRecord } from '../../../pool/records/network.ts';
import { together } from '../../../pool/transaction.ts';
import type {
  CreateNetworkRequest,
  DeleteNetworkRequest,
  UpdateNetworkRequest,
} from '../../../proto/gen/flotilla.network.v1.ts';
import { bridgeNameOf } from '../core/names.ts';
import { commitBridge, creatingNetwork, freeingBridge } from './bridges.ts';
import { bridgeField, field, mtuField } from './fields.ts';

type Answer = Promise<Result<Stored<NetworkRecord>, Failure>>;

/** Makes a network; with the request id of one that was made before, it is that one. */
export async function createNetwork(
  pool: Pool,
  clock: Clock,
  request: CreateNetworkRequest,
): Answer {
  const id = request.requestId === '' ? ok(randomUUID()) : field('request_id', request.requestId);
  if (!id.ok) return id;
  const earlier = await pool.networks.get(id.value);
  if (!earlier.ok) return earlier;
  if (earlier.value !== null) return ok(earlier.value);
  const network = networkOf(id.value as NetworkId, clock, request);
  if (!network.ok) return network;
  if (request.validateOnly) return unmade(pool, network.value);
  const made = await commitBridge(pool, network.value, creatingNetwork(pool, network.value));
  if (made.ok) return ok(storedAt(pool, network.value, made.value));
  // The same request may have come twice at once.
  const other = await pool.networks.get(id.value);
  return other.ok && other.value !== null ? ok(other.value) : made;
}

/** The record of a network that is to be. */
export function networkOf(
  id: NetworkId,
  clock: Clock,
  request: Pick<CreateNetworkRequest, 'name' | 'bridge' | 'mtu'>,
): Result<NetworkRecord, Failure> {
  const name = field('name', request.name);
  if (!name.ok) return name;
  const bridge = bridgeField(request.bridge === '' ? bridgeNameOf(id) : request.bridge);
  if (!bridge.ok) return bridge;
  const mtu = mtuField(request.mtu);
  if (!mtu.ok) return mtu;
  const createdAt = clock.wall() as number as Timestamp;
  return ok({ id, name: name.value, bridge: bridge.value, mtu: mtu.value, createdAt });
}

/** Gives a network another name. */
export async function updateNetwork(pool: Pool, request: UpdateNetworkRequest): Answer {
  const name = field('name', request.name);
  if (!name.ok) return name;
  const stored = await pool.networks.find(request.network);
  if (!stored.ok) return stored;
  const record = { ...stored.value.record, name: name.value };
  if (record.name === stored.value.record.name) return stored;
  if (request.validateOnly) return unmade(pool, record);
  const written = await commit(pool.database, pool.networks.replacing(stored.value, record));
  return written.ok ? ok(storedAt(pool, record, written.value)) : written;
}

/**
 * Deletes a network that no VM has an interface on. A VM that was recorded between the look and the
 * deletion is found by a second look, and the network is put back: a VM recorded after the deletion
 * is refused, as its network must exist in the transaction that records it.
 */
export async function deleteNetwork(
  pool: Pool,
  request: DeleteNetworkRequest,
): Promise<Result<void, Failure>> {
  const stored = await pool.networks.find(request.network);
  if (!stored.ok) return stored;
  const { record } = stored.value;
  const unused = await checkUnused(pool, record);
  if (!unused.ok || request.validateOnly) return unused;
  const deletion = together(pool.networks.deleting(stored.value), freeingBridge(record));
  const deleted = await commit(pool.database, deletion);
  if (!deleted.ok) return deleted;
  const still = await checkUnused(pool, record);
  if (still.ok || still.error.reason !== 'WRONG_STATE') return ok(undefined);
  const restored = await commitBridge(pool, record, creatingNetwork(pool, record));
  return restored.ok ? still : restored;
}

async function checkUnused(pool: Pool, network: NetworkRecord): Promise<Result<void, Failure>> {
  const vms = await pool.vmNics.all();
  if (!vms.ok) return vms;
  const user = vms.value.find(({ record }) => record.networks.includes(network.id));
  return user === undefined ? ok(undefined) : fail(inUse(network, user.record.name));
}

/** What a change would come to; NAME_TAKEN if another network has the name. */
async function unmade(pool: Pool, record: NetworkRecord): Answer {
  const other = await pool.networks.find(record.name);
  if (other.ok) return fail(nameTaken('network', record.name));
  return other.error.reason === 'NOT_FOUND' ? ok(storedAt(pool, record, 0 as Revision)) : other;
}

function storedAt(pool: Pool, record: NetworkRecord, modRevision: Revision): Stored<NetworkRecord> {
  return { key: pool.networks.key(record.id), record, modRevision };
}

function inUse({ name }: NetworkRecord, vm: string): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the VM "${vm}" has an interface on the network "${name}"`,
    remedy: 'Delete the VM first, or take the interface from it.',
    resource: { type: 'network', name },
  };
}
