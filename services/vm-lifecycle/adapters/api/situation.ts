import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Stored } from '../../../../pool/collection.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import { type ClaimHost, reportPower } from '../../core/power.ts';
import { allow, type Verb, type VmSituation } from '../../core/states.ts';

/** A VM with all that decides what may be done to it. */
export interface JudgedVm {
  readonly stored: Stored<VmRecord>;
  readonly situation: VmSituation;
}

/** Finds a VM by name or id, and whether a verb is allowed on it now. */
export async function judge(
  pool: Pool,
  nameOrId: string,
  verb: Verb,
): Promise<Result<JudgedVm, Failure>> {
  const stored = await pool.vms.find(nameOrId);
  if (!stored.ok) return stored;
  const situation = await situationOf(pool, stored.value.record);
  if (!situation.ok) return situation;
  const allowed = allow(verb, situation.value);
  if (!allowed.ok) return fail(allowed.error);
  return ok({ stored: stored.value, situation: situation.value });
}

async function situationOf(pool: Pool, vm: VmRecord): Promise<Result<VmSituation, Failure>> {
  const [status, host, operation] = await Promise.all([
    pool.vmStatuses.get(vm.id),
    vm.host === null ? ok(null) : readHost(pool, vm.host),
    operationOf(pool, vm),
  ]);
  if (!status.ok) return status;
  if (!host.ok) return host;
  if (!operation.ok) return operation;
  return ok({
    name: vm.name,
    lifecycle: vm.lifecycle,
    desired: vm.desired,
    power: reportPower(vm, status.value?.record ?? null, host.value),
    operation: operation.value,
  });
}

async function operationOf(
  pool: Pool,
  vm: VmRecord,
): Promise<Result<VmSituation['operation'], Failure>> {
  if (vm.operation === null) return ok(null);
  const stored = await pool.operationsOf('vm-lifecycle').get(vm.operation);
  if (!stored.ok) return stored;
  const record = stored.value?.record;
  // Somebody removed it by hand: nobody will ever end it, so it stands in nobody's way.
  if (record === undefined) return ok(null);
  const host = await readHost(pool, record.host);
  if (!host.ok) return host;
  return ok({ id: record.id, verb: record.verb, host: host.value.name, hostUp: host.value.up });
}

/** A host's name, and whether it holds its lease. */
export async function readHost(pool: Pool, id: HostId): Promise<Result<ClaimHost, Failure>> {
  const [record, lease] = await Promise.all([pool.hosts.get(id), pool.hostLeases.get(id)]);
  if (!record.ok) return record;
  if (!lease.ok) return lease;
  return ok({ name: record.value?.record.name ?? id, up: lease.value !== null });
}
