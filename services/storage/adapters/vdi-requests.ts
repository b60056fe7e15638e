import { randomUUID } from 'node:crypto';
import { bounds } from '../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, formatBytes, milliseconds } from '../../../base/units.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Stored } from '../../../pool/collection.ts';
import { commit, nameTaken } from '../../../pool/commit.ts';
import type { Revision } from '../../../pool/database.ts';
import type { Failure } from '../../../pool/failure.ts';
import { nameKey } from '../../../pool/keys.ts';
import {
  earlierOperation,
  newOperation,
  newOperationId,
  type OperationPlan,
  startOperation,
} from '../../../pool/operations/record.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { HostId, Timestamp, VdiId } from '../../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../../pool/records/operation.ts';
import type { VdiRecord } from '../../../pool/records/storage.ts';
import type {
  CreateVdiRequest,
  DeleteVdiRequest,
  UpdateVdiRequest,
} from '../../../proto/gen/flotilla.storage.v1.ts';
import { virtualSizeFor } from '../core/size.ts';
import { nameField, vdiIdField } from './fields.ts';
import { placeFor } from './placement.ts';
import { checkUnused } from './users.ts';
import { creationSteps, deletionSteps } from './vdi-steps.ts';

/** How long a deletion waits for the creation of the same VDI to end, and how often it looks. */
const creationPatience = milliseconds(10_000);
const lookEvery = milliseconds(100);

/** An operation, as a request is answered with it. */
type Answer = Promise<Result<Stored<OperationRecord>, Failure>>;

/** Who runs the operations of this file. */
const service = 'storage';

/** Records that a VDI is to be made, by the storage service of the SR's host. */
export async function createVdi(pool: Pool, clock: Clock, request: CreateVdiRequest): Answer {
  const { requestId, validateOnly } = request;
  const earlier = await earlierOperation(pool, { service, requestId });
  if (!earlier.ok) return earlier;
  if (earlier.value !== null) return ok(earlier.value);
  const id = requestId === '' ? ok(randomUUID() as VdiId) : vdiIdField('request_id', requestId);
  if (!id.ok) return id;
  const name = nameField(request.name);
  if (!name.ok) return name;
  const virtualSize = sizeField(request.virtualSize);
  if (!virtualSize.ok) return virtualSize;
  const sr = await placeFor(pool, request.sr, virtualSize.value);
  if (!sr.ok) return sr;
  const operation = newOperationId();
  const vdi: VdiRecord = {
    id: id.value,
    name: name.value,
    sr: sr.value.id,
    virtualSize: virtualSize.value,
    lifecycle: 'creating',
    operation,
    createdAt: clock.wall() as number as Timestamp,
  };
  const plan: OperationPlan = {
    ...planFor('vdi.create', vdi, sr.value.host, clock),
    id: operation,
    steps: creationSteps(vdi),
    requestId,
  };
  if (!validateOnly) return startOperation(pool, newOperation(plan), pool.vdis.creating(vdi));
  const free = await nameIsFree(pool, vdi.name);
  return free.ok ? ok(unrecorded(pool, plan)) : free;
}

/**
 * Records that a VDI is to be deleted. If it is being deleted already, that is the answer; if it is
 * being made, that is waited for.
 */
export async function deleteVdi(
  pool: Pool,
  clock: Clock,
  request: DeleteVdiRequest,
  signal: AbortSignal,
): Answer {
  const { requestId, validateOnly } = request;
  const earlier = await earlierOperation(pool, { service, requestId });
  if (!earlier.ok) return earlier;
  if (earlier.value !== null) return ok(earlier.value);
  const stored = await onceMade(pool, clock, request.vdi, signal);
  if (!stored.ok) return stored;
  const { record } = stored.value;
  if (record.operation !== null) {
    const deletion = await pool.operationsOf(service).get(record.operation);
    if (!deletion.ok) return deletion;
    return deletion.value === null ? fail(busy(record)) : ok(deletion.value);
  }
  const unused = await checkUnused(pool, record);
  if (!unused.ok) return unused;
  const sr = await pool.srs.find(record.sr);
  if (!sr.ok) return sr;
  const operation = newOperationId();
  const deleting: VdiRecord = { ...record, lifecycle: 'deleting', operation };
  const plan: OperationPlan = {
    ...planFor('vdi.delete', deleting, sr.value.record.host, clock),
    id: operation,
    steps: deletionSteps(deleting),
    requestId,
  };
  if (validateOnly) return ok(unrecorded(pool, plan));
  return startOperation(pool, newOperation(plan), pool.vdis.replacing(stored.value, deleting));
}

/** The VDI, when it is not being made any more; BUSY if that takes too long. */
async function onceMade(
  pool: Pool,
  clock: Clock,
  nameOrId: string,
  signal: AbortSignal,
): Promise<Result<Stored<VdiRecord>, Failure>> {
  const until = clock.now() + creationPatience;
  for (;;) {
    const stored = await pool.vdis.find(nameOrId);
    if (!stored.ok || stored.value.record.lifecycle !== 'creating') return stored;
    if (signal.aborted || clock.now() >= until) return fail(busy(stored.value.record));
    await clock.sleep(lookEvery, signal);
  }
}

/** Gives a VDI another name. */
export async function updateVdi(
  pool: Pool,
  request: UpdateVdiRequest,
): Promise<Result<Stored<VdiRecord>, Failure>> {
  const name = nameField(request.name);
  if (!name.ok) return name;
  const stored = await pool.vdis.find(request.vdi);
  if (!stored.ok) return stored;
  if (stored.value.record.operation !== null) return fail(busy(stored.value.record));
  const record = { ...stored.value.record, name: name.value };
  if (record.name === stored.value.record.name) return stored;
  if (request.validateOnly) {
    const free = await nameIsFree(pool, record.name);
    return free.ok ? ok({ ...stored.value, record }) : free;
  }
  const written = await commit(pool.database, pool.vdis.replacing(stored.value, record));
  return written.ok ? ok({ ...stored.value, record, modRevision: written.value }) : written;
}

function planFor(verb: string, vdi: VdiRecord, host: HostId, clock: Clock) {
  const resource = { type: 'vdi', id: vdi.id, name: vdi.name };
  return { verb, resource, service, host, now: clock.wall() } as const;
}

/** The operation that a request which only validates would have started. */
function unrecorded(pool: Pool, plan: OperationPlan): Stored<OperationRecord> {
  const record = newOperation(plan);
  return { key: pool.operationsOf(service).key(record.id), record, modRevision: 0 as Revision };
}

/** What the transaction that takes a name finds out by itself, for requests that only validate. */
async function nameIsFree(pool: Pool, name: string): Promise<Result<void, Failure>> {
  const taken = await pool.database.get(nameKey('vdi', name));
  if (!taken.ok) return taken;
  return taken.value === null ? ok(undefined) : fail(nameTaken('vdi', name));
}

function sizeField(requested: number): Result<Bytes, Failure> {
  const size = virtualSizeFor(requested);
  if (size.ok) return size;
  return fail({
    reason: 'INVALID_FIELD',
    message: `the disk cannot have this size: ${size.error}`,
    remedy: `Ask for ${formatBytes(bounds.vdiSizeMin)} to ${formatBytes(bounds.vdiSizeMax)}.`,
    field: 'virtual_size',
  });
}

function busy(vdi: VdiRecord): Failure {
  return {
    reason: 'BUSY',
    message: `the operation ${vdi.operation} on the disk "${vdi.name}" is under way`,
    remedy: `Wait for it with: flotilla operation watch ${vdi.operation}`,
    resource: { type: 'vdi', name: vdi.name },
  };
}
