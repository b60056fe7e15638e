import { ok } from '../../base/result.ts';
import { PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Entry } from '../database.ts';
import { snapshot } from '../follow.ts';
import { isEnded } from '../operations/core.ts';
import type { Pool } from '../pool.ts';
import { type Mounted, mount } from '../rpc/handler.ts';
import { eventHandlers } from './events.ts';
import { hostHandlers, hostLoad, hostPrefixes, isUp } from './hosts.ts';
import { operationHandlers } from './operations.ts';

/** What the service answers with. */
export interface PoolServiceSettings {
  readonly pool: Pool;
  /** The pool's name. */
  readonly name: string;
}

/** flotilla.pool.v1.PoolService; every host's vm-lifecycle service mounts it. */
export function poolService({ pool, name }: PoolServiceSettings): Mounted {
  return mount(PoolService, {
    getPool: async () => {
      const { vms, operations } = pool;
      const prefixes = [...hostPrefixes(pool), vms.prefix, operations.prefix];
      const [read, members] = await Promise.all([
        snapshot(pool.database, prefixes),
        pool.database.members(),
      ]);
      if (!read.ok) return read;
      if (!members.ok) return members;
      const entries = new Map(read.value.entries.map((entry) => [entry.key, entry]));
      return ok({
        name,
        ...hostTotals(pool, entries),
        vms: [...entries.keys()].filter((key) => vms.idOf(key) !== null).length,
        operationsRunning: operationsRunning(pool, entries),
        databaseMembers: members.value,
        revision: read.value.revision,
      });
    },
    ...hostHandlers(pool),
    ...operationHandlers(pool),
    ...eventHandlers(pool),
  });
}

function hostTotals(pool: Pool, entries: ReadonlyMap<string, Entry>) {
  const totals = { hosts: 0, hostsUp: 0, vmsRunning: 0, memoryTotal: 0, memoryReserved: 0 };
  for (const [key, entry] of entries) {
    const id = pool.hosts.idOf(key);
    if (id === null) continue;
    totals.hosts += 1;
    if (!isUp(pool, id, entries)) continue;
    const load = hostLoad(pool, id, entries);
    const host = pool.hosts.decode(entry);
    totals.hostsUp += 1;
    totals.vmsRunning += load.vmsRunning;
    totals.memoryReserved += load.memoryReserved;
    totals.memoryTotal += host.ok ? host.value.record.memoryTotal : 0;
  }
  return totals;
}

function operationsRunning(pool: Pool, entries: ReadonlyMap<string, Entry>): number {
  let running = 0;
  for (const [key, entry] of entries) {
    if (pool.operations.idOf(key) === null) continue;
    const stored = pool.operations.decode(entry);
    if (stored.ok && !isEnded(stored.value.record)) running += 1;
  }
  return running;
}
