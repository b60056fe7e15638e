import { ok, type Result } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import type { Host, HostEvent, Hypervisor, PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Entry } from '../database.ts';
import type { Failure } from '../failure.ts';
import { snapshot } from '../follow.ts';
import type { Pool } from '../pool.ts';
import type { HostRecord } from '../records/host.ts';
import type { RpcHandlers } from '../rpc/handler.ts';
import { pageItems, pageOf } from '../rpc/paging.ts';
import { timestampMessage } from '../rpc/timestamp.ts';
import { watchResources } from '../rpc/watch.ts';

type Handlers = Pick<RpcHandlers<PoolService>, 'getHost' | 'listHosts' | 'watchHosts'>;

const hypervisors: Readonly<Record<HostRecord['hypervisor'], Hypervisor>> = {
  xen: 'HYPERVISOR_XEN',
  simulated: 'HYPERVISOR_SIMULATED',
};

/** Prefixes of all that a host's message is made of. */
export function hostPrefixes({ hosts, hostLeases, reservations, vmStatuses }: Pool) {
  return [hosts.prefix, hostLeases.prefix, reservations.prefix, vmStatuses.prefix];
}

/** What a host's VMs take: memory that is reserved for them, and how many run. */
interface HostLoad {
  readonly memoryReserved: number;
  readonly vmsRunning: number;
}

/** Whether a host holds its lease. */
export function isUp(pool: Pool, id: string, entries: ReadonlyMap<string, Entry>): boolean {
  return entries.has(pool.hostLeases.key(id));
}

/** What is reserved on a host, by the entries. */
export function hostLoad(pool: Pool, id: string, entries: ReadonlyMap<string, Entry>): HostLoad {
  const below = pool.reservations.key(`${id}/`);
  let memoryReserved = 0;
  let vmsRunning = 0;
  for (const [key, entry] of entries) {
    if (!key.startsWith(below)) continue;
    const reservation = pool.reservations.decode(entry);
    if (reservation.ok) memoryReserved += reservation.value.record.memory;
    const statusEntry = entries.get(pool.vmStatuses.key(key.slice(below.length)));
    const status = statusEntry === undefined ? null : pool.vmStatuses.decode(statusEntry);
    if (status?.ok !== true) continue;
    const { host, powerState } = status.value.record;
    if (host === id && powerState === 'running') vmsRunning += 1;
  }
  return { memoryReserved, vmsRunning };
}

/** A host as the API shows it; null where there is none, or where its record cannot be read. */
export function hostMessage(
  pool: Pool,
  id: string,
  entries: ReadonlyMap<string, Entry>,
): Input<Host> | null {
  const entry = entries.get(pool.hosts.key(id));
  const stored = entry === undefined ? null : pool.hosts.decode(entry);
  if (stored?.ok !== true) return null;
  const { record, modRevision } = stored.value;
  return {
    id: record.id,
    name: record.name,
    state: isUp(pool, id, entries) ? 'HOST_STATE_UP' : 'HOST_STATE_DOWN',
    hypervisor: hypervisors[record.hypervisor],
    hypervisorVersion: record.hypervisorVersion,
    cpus: record.cpus,
    memoryTotal: record.memoryTotal,
    ...hostLoad(pool, id, entries),
    endpoints: record.endpoints,
    startTime: timestampMessage(record.startedAt),
    revision: modRevision,
  };
}

/** Handlers of the methods about hosts. */
export function hostHandlers(pool: Pool): Handlers {
  const entriesNow = async (): Promise<Result<ReadonlyMap<string, Entry>, Failure>> => {
    const read = await snapshot(pool.database, hostPrefixes(pool));
    return read.ok ? ok(new Map(read.value.entries.map((entry) => [entry.key, entry]))) : read;
  };
  return {
    getHost: async (request) => {
      const found = await pool.hosts.find(request.host);
      if (!found.ok) return found;
      const entries = await entriesNow();
      if (!entries.ok) return entries;
      return ok(hostMessage(pool, found.value.record.id, entries.value) ?? {});
    },
    listHosts: async (request) => {
      const page = pageOf(request);
      if (!page.ok) return page;
      const entries = await entriesNow();
      if (!entries.ok) return entries;
      const hosts = [...entries.value.keys()]
        .map((key) => pool.hosts.idOf(key))
        .filter((id) => id !== null)
        .map((id) => hostMessage(pool, id, entries.value))
        .filter((host) => host !== null)
        .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
      const { items, nextPageToken } = pageItems(hosts, nameOf, page.value);
      return ok({ hosts: items, nextPageToken });
    },
    watchHosts: (request, call) =>
      watchResources<Input<Host>, HostEvent>(
        {
          database: pool.database,
          prefixes: hostPrefixes(pool),
          resumeRevision: request.resumeRevision,
          idsOf: (entry) => hostsOf(pool, entry),
          resource: (id, entries) => hostMessage(pool, id, entries),
          event: (type, host, revision) => ({ type, host, revision }),
        },
        call,
      ),
  };
}

function nameOf(host: Input<Host>): string {
  return host.name ?? '';
}

/** The hosts whose messages an entry has a part in. */
function hostsOf(pool: Pool, entry: Entry): readonly string[] {
  const own = pool.hosts.idOf(entry.key) ?? pool.hostLeases.idOf(entry.key);
  if (own !== null) return [own];
  const reservation = pool.reservations.idOf(entry.key)?.split('/')[0];
  if (reservation !== undefined) return [reservation];
  const status = pool.vmStatuses.decode(entry);
  return status.ok ? [status.value.record.host] : [];
}
