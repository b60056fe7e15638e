import { fail, ok, type Result } from '../../../../base/result.ts';
import { bytes } from '../../../../base/units.ts';
import type { Stored } from '../../../../pool/collection.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { HostRecord, ReservationGuard } from '../../../../pool/records/host.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';
import type { SrRecord } from '../../../../pool/records/storage.ts';
import type { PlacementHost } from '../../core/placement.ts';

/** What placement needs of the pool, read for one decision. */
export interface PlacementView {
  readonly hosts: readonly PlacementHost[];
  readonly records: ReadonlyMap<string, Stored<HostRecord>>;
  readonly srs: readonly SrRecord[];
  /**
   * Read before the reservations: a transaction that compares a host's guard with this one takes
   * place only if nobody has reserved memory on the host since.
   */
  readonly guards: ReadonlyMap<string, Stored<ReservationGuard>>;
}

/** Reads the hosts, what is reserved on them, and their repositories. */
export async function readPlacementView(
  pool: Pool,
  largestDisk: number,
): Promise<Result<PlacementView, Failure>> {
  const guards = await pool.reservationGuards.all();
  if (!guards.ok) return guards;
  const [hosts, leases, reservations, srs] = await Promise.all([
    pool.hosts.all(),
    pool.hostLeases.all(),
    pool.reservations.all(),
    pool.srs.all(),
  ]);
  if (!hosts.ok) return hosts;
  if (!leases.ok) return leases;
  if (!reservations.ok) return reservations;
  if (!srs.ok) return srs;
  const up = new Set(leases.value.map((lease) => pool.hostLeases.idOf(lease.key)));
  const held = new Map<string, { memory: number; vms: number }>();
  for (const { key, record } of reservations.value) {
    const [host = ''] = pool.reservations.idOf(key)?.split('/') ?? [];
    const sum = held.get(host) ?? { memory: 0, vms: 0 };
    held.set(host, { memory: sum.memory + record.memory, vms: sum.vms + 1 });
  }
  const repositories = srs.value.map((stored) => stored.record);
  return ok({
    hosts: hosts.value.map(({ record }) => ({
      id: record.id,
      name: record.name,
      up: up.has(record.id),
      hypervisor: record.hypervisor,
      memoryTotal: record.memoryTotal,
      memoryReserved: bytes(held.get(record.id)?.memory ?? 0),
      vms: held.get(record.id)?.vms ?? 0,
      hasRoom: repositories.some((sr) => sr.host === record.id && sr.physicalFree >= largestDisk),
    })),
    records: new Map(hosts.value.map((stored) => [stored.record.id, stored])),
    srs: repositories,
    guards: new Map(
      guards.value.map((stored) => [pool.reservationGuards.idOf(stored.key) ?? '', stored]),
    ),
  });
}

/** The host that a request names, by name or id; null where it names none. */
export async function wantedHost(
  pool: Pool,
  nameOrId: string,
): Promise<Result<HostId | null, Failure>> {
  if (nameOrId === '') return ok(null);
  const host = await pool.hosts.find(nameOrId);
  if (host.ok) return ok(host.value.record.id);
  return fail({ ...host.error, field: 'host' });
}
