import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, formatBytes } from '../../../base/units.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { SrRecord } from '../../../pool/records/storage.ts';
import { chooseRepository, hasRoom } from '../core/choice.ts';

/**
 * The SR that an image goes to: the one that was asked for, if it has room and its host is up, or
 * else the one with most room on any host that is up.
 */
export async function placeFor(
  pool: Pool,
  nameOrId: string,
  virtualSize: Bytes,
): Promise<Result<SrRecord, Failure>> {
  return nameOrId === '' ? chosen(pool, virtualSize) : named(pool, nameOrId, virtualSize);
}

async function named(
  pool: Pool,
  nameOrId: string,
  virtualSize: Bytes,
): Promise<Result<SrRecord, Failure>> {
  const stored = await pool.srs.find(nameOrId);
  if (!stored.ok) return fail({ ...stored.error, field: 'sr' });
  const { record } = stored.value;
  const lease = await pool.hostLeases.get(record.host);
  if (!lease.ok) return lease;
  if (lease.value === null) return fail(unreachable(record));
  if (!hasRoom(record.physicalFree, virtualSize)) return fail(noRoom(record, virtualSize));
  return ok(record);
}

async function chosen(pool: Pool, virtualSize: Bytes): Promise<Result<SrRecord, Failure>> {
  const stored = await pool.srs.all();
  if (!stored.ok) return stored;
  const leases = await pool.hostLeases.all();
  if (!leases.ok) return leases;
  const up = new Set(leases.value.map(({ key }) => pool.hostLeases.idOf(key)));
  const records = stored.value.map(({ record }) => record).filter(({ host }) => up.has(host));
  const best = chooseRepository(records, { virtualSize, host: null });
  if (best !== null) return ok(best);
  return fail(records.length === 0 ? noRepository : noRoomAnywhere(records.length, virtualSize));
}

function unreachable(sr: SrRecord): Failure {
  return {
    reason: 'HOST_UNREACHABLE',
    message: `the host ${sr.host} of the SR "${sr.name}" is down`,
    remedy: 'Start the host, or choose an SR of another one.',
    resource: { type: 'host', name: sr.host },
    field: 'sr',
  };
}

function noRoom(sr: SrRecord, virtualSize: Bytes): Failure {
  const free = formatBytes(sr.physicalFree);
  return {
    reason: 'NO_SPACE',
    message: `${formatBytes(virtualSize)} do not fit into the SR "${sr.name}": ${free} are free`,
    remedy: 'Ask for a smaller disk, delete what is not needed there, or choose another SR.',
    resource: { type: 'sr', name: sr.name },
    field: 'virtual_size',
  };
}

function noRoomAnywhere(srs: number, virtualSize: Bytes): Failure {
  return {
    reason: 'NO_SPACE',
    message: `none of the ${srs} SRs of hosts that are up has ${formatBytes(virtualSize)} free`,
    remedy: 'Ask for a smaller disk, delete disks that are not needed, or add an SR.',
    field: 'virtual_size',
  };
}

const noRepository: Failure = {
  reason: 'NO_SPACE',
  message: 'no host that is up has an SR',
  remedy: "Name one in the srs of a host's storage configuration, and restart that service.",
  field: 'sr',
};
