import { bounds } from '../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes, formatBytes } from '../../../base/units.ts';
import { footprint, type HypervisorKind } from './footprint.ts';
import { type Refusal, refuseVm } from './refusal.ts';

/** A host as placement sees it. */
export interface PlacementHost {
  readonly id: string;
  readonly name: string;
  /** It holds its lease. */
  readonly up: boolean;
  readonly hypervisor: HypervisorKind;
  readonly memoryTotal: Bytes;
  /** The sum of its reservations. */
  readonly memoryReserved: Bytes;
  /** How many VMs hold a reservation on it. */
  readonly vms: number;
  /** One of its storage repositories has room for the largest disk that is to be made. */
  readonly hasRoom: boolean;
}

/** Something of the VM that only one host has: a disk on that host's own storage. */
export interface Anchor {
  /** For people: `disk web-0 (SR local-1)`. */
  readonly what: string;
  readonly host: string;
}

/** What is to be placed. */
export interface PlacementRequest {
  readonly vm: string;
  readonly memory: Bytes;
  readonly vcpus: number;
  readonly anchors: readonly Anchor[];
  /** Disks are to be made, on any SR of the host. */
  readonly needsRoom: boolean;
  /** The host that the caller asks for, by id, or null. */
  readonly wanted: string | null;
  /**
   * `start` needs the memory free now. `create` only makes disks, so a full host will do, but one
   * where the VM could start comes first.
   */
  readonly purpose: 'create' | 'start';
}

/**
 * Chooses the host for a VM: one that is up, has its disks, and has the memory unreserved; of
 * those, the one with the fewest VMs, then the most free memory, then the first by id. The same
 * input gives the same host, in whatever order the hosts come. When none fits, the refusal says of
 * every host why not.
 */
export function place(
  request: PlacementRequest,
  hosts: readonly PlacementHost[],
): Result<PlacementHost, Refusal> {
  const inOrder = [...hosts].sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  const obstacles: string[] = [];
  const fitting: PlacementHost[] = [];
  for (const host of inOrder) {
    const obstacle = obstacleTo(request, host);
    if (obstacle === null) fitting.push(host);
    else obstacles.push(`${host.name}: ${obstacle}`);
  }
  const best = fitting.sort(
    (a, b) =>
      Number(fits(request, b)) - Number(fits(request, a)) ||
      a.vms - b.vms ||
      freeMemory(b) - freeMemory(a) ||
      compare(a.id, b.id),
  )[0];
  if (best !== undefined) return ok(best);
  const why = obstacles.length === 0 ? 'the pool has no host' : obstacles.join('; ');
  return fail(
    refuseVm(
      'NO_HOST_FITS',
      request.vm,
      `no host fits vm ${request.vm} (${formatBytes(request.memory)}): ${why}`,
      'See what the hosts have free: flotilla host list.',
    ),
  );
}

/** Memory that no claim holds; 0 where a host shrank below its reservations. */
export function freeMemory(host: PlacementHost): Bytes {
  return bytes(Math.max(0, host.memoryTotal - host.memoryReserved));
}

/** What the VM would take from a host: what its claim reserves there. */
export function demand(request: PlacementRequest, host: PlacementHost): Bytes {
  return footprint(request.memory, request.vcpus, host.hypervisor);
}

function fits(request: PlacementRequest, host: PlacementHost): boolean {
  return demand(request, host) <= freeMemory(host);
}

function obstacleTo(request: PlacementRequest, host: PlacementHost): string | null {
  if (request.wanted !== null && request.wanted !== host.id)
    return 'the request names another host';
  if (!host.up) return 'it is down';
  const elsewhere = request.anchors.find((anchor) => anchor.host !== host.id);
  if (elsewhere !== undefined) return `${elsewhere.what} is on another host`;
  if (request.needsRoom && !host.hasRoom) return 'it has no SR with room for the disks';
  if (request.purpose === 'create') return null;
  if (host.vms >= bounds.vmsPerHost) return `it has ${bounds.vmsPerHost} VMs, the most allowed`;
  if (!fits(request, host))
    return `${formatBytes(freeMemory(host))} of ${formatBytes(host.memoryTotal)} is free, and ${formatBytes(demand(request, host))} is needed`;
  return null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
