import { ok, type Result } from '../../../../base/result.ts';
import type { Stored } from '../../../../pool/collection.ts';
import type { Entry } from '../../../../pool/database.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import type { StreamCall } from '../../../../pool/rpc/handler.ts';
import { nextPageToken, pageOf } from '../../../../pool/rpc/paging.ts';
import { type ResourceWatch, watchResources } from '../../../../pool/rpc/watch.ts';
import type { Input } from '../../../../proto/codec.ts';
import type {
  ListVmsRequest,
  ListVmsResponse,
  Vm,
  VmEvent,
  WatchVmsRequest,
} from '../../../../proto/gen/flotilla.vm.v1.ts';
import { readHost } from './situation.ts';
import { matches, type VmWish, vmMessage } from './vm-message.ts';

/** GetVm, and what an update answers with. */
export async function readVm(pool: Pool, nameOrId: string): Promise<Result<Input<Vm>, Failure>> {
  const vm = await pool.vms.find(nameOrId);
  if (!vm.ok) return vm;
  const { id, host: hostId } = vm.value.record;
  const status = await pool.vmStatuses.get(id);
  if (!status.ok) return status;
  const host = hostId === null ? ok(null) : await readHost(pool, hostId);
  if (!host.ok) return host;
  return ok(vmMessage({ vm: vm.value, status: status.value, host: host.value }));
}

/** ListVms: a page of all VMs, of which those that the filter leaves out are taken away. */
export async function listVms(
  pool: Pool,
  request: ListVmsRequest,
): Promise<Result<Input<ListVmsResponse>, Failure>> {
  const wanted = pageOf(request);
  if (!wanted.ok) return wanted;
  const page = await pool.vms.list(wanted.value);
  if (!page.ok) return page;
  const read = await Promise.all([pool.vmStatuses.all(), pool.hosts.all(), pool.hostLeases.all()]);
  const [statuses, hosts, leases] = read;
  if (!statuses.ok) return statuses;
  if (!hosts.ok) return hosts;
  if (!leases.ok) return leases;
  const statusOf = new Map(statuses.value.map((stored) => [stored.record.vm, stored]));
  const names = new Map(hosts.value.map(({ record }) => [record.id, record.name]));
  const up = new Set(leases.value.map((lease) => pool.hostLeases.idOf(lease.key)));
  const vms = page.value.items.flatMap((vm) => {
    const { id, host } = vm.record;
    const message = vmMessage({
      vm,
      status: statusOf.get(id) ?? null,
      host: host === null ? null : { name: names.get(host) ?? host, up: up.has(host) },
    });
    return matches(message, host, request.filter) ? [message] : [];
  });
  return ok({ vms, nextPageToken: nextPageToken(page.value) });
}

/** WatchVms: a VM changes with its record, its status, and its host's lease. */
export function watchVms(
  pool: Pool,
  request: WatchVmsRequest,
  call: StreamCall<VmEvent>,
): Promise<Result<void, Failure>> {
  return watchResources(vmWatch(pool, request.resumeRevision, request.filter), call);
}

function vmWatch(
  pool: Pool,
  resumeRevision: number,
  filter: VmWish | null,
): ResourceWatch<Input<Vm>, VmEvent> {
  const { vms, vmStatuses, hosts, hostLeases } = pool;
  return {
    database: pool.database,
    prefixes: [vms.prefix, vmStatuses.prefix, hosts.prefix, hostLeases.prefix],
    resumeRevision,
    idsOf: ({ key }, entries) => {
      const vm = vms.idOf(key) ?? vmStatuses.idOf(key);
      if (vm !== null) return [vm];
      const host = hosts.idOf(key) ?? hostLeases.idOf(key);
      return host === null ? [] : claimedBy(pool, host, entries);
    },
    resource: (id, entries) => {
      const vm = decoded(vms.decode, entries.get(vms.key(id)));
      if (vm === null) return null;
      const { host: hostId } = vm.record;
      const host = hostId === null ? null : decoded(hosts.decode, entries.get(hosts.key(hostId)));
      const message = vmMessage({
        vm,
        status: decoded(vmStatuses.decode, entries.get(vmStatuses.key(id))),
        host:
          hostId === null
            ? null
            : { name: host?.record.name ?? hostId, up: entries.has(hostLeases.key(hostId)) },
      });
      return matches(message, hostId, filter) ? message : null;
    },
    event: (type, vm, revision) => ({ type, vm, revision }),
  };
}

/** The VMs of a host's claims. The text is searched before it is parsed: hosts come and go in lists of thousands of VMs. */
function claimedBy(pool: Pool, host: string, entries: ReadonlyMap<string, Entry>): string[] {
  return [...entries.values()].flatMap((entry) => {
    const id = pool.vms.idOf(entry.key);
    if (id === null || !entry.value.includes(host)) return [];
    const stored = decoded<VmRecord>(pool.vms.decode, entry);
    return stored?.record.host === host ? [id] : [];
  });
}

/** A record that cannot be read is left out of a stream; reading it by name says what is wrong. */
function decoded<Value>(
  decode: (entry: Entry) => Result<Stored<Value>, Failure>,
  entry: Entry | undefined,
): Stored<Value> | null {
  if (entry === undefined) return null;
  const stored = decode(entry);
  return stored.ok ? stored.value : null;
}
