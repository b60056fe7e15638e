import { randomUUID } from 'node:crypto';
import { fail, ok, type Result } from '../../base/result.ts';
import type { HostId } from '../../pool/records/identifiers.ts';
import type { GuestType, HostPorts, PoolChoice, ServiceGuest } from '../up/pool-choice.ts';
import { guestServices } from '../up/pool-choice.ts';
import { imagesDirectory } from './host-places.ts';

/** On a host of its own each service has the port that its image's manifest names. */
const ports: HostPorts = {
  'vm-lifecycle': 7421,
  storage: 7422,
  network: 7423,
  xenstore: 7424,
  consensus: 2379,
  peer: 2380,
};

/** What an operator says of a host. */
export interface SeedRequest {
  /** Of the host's bridge: ADDRESS/LENGTH. */
  readonly address: string;
  /** Left out: a new pool's host is host-1, and a pool of one has that one. */
  readonly name: string | undefined;
  /** For a new pool one for each service; undefined: those of the pool. */
  readonly guests: readonly ServiceGuest[] | undefined;
  readonly type: GuestType | undefined;
}

/**
 * The pool that a seed is of: a new one of this host, or the one that is there, where it is of this host.
 * The failure says which flag to change.
 */
export function poolOfSeed(
  request: SeedRequest,
  there: PoolChoice | null,
): Result<PoolChoice, string> {
  return there === null ? newPool(request) : samePool(request, there);
}

function newPool({ address, name = 'host-1', guests = [], type }: SeedRequest) {
  const missing = guestServices.find((service) => guests.every((each) => each.service !== service));
  if (missing !== undefined)
    return fail(
      `a host image runs ${missing} as a guest; say where with --guest ${missing}=ADDRESS/LENGTH`,
    );
  const addresses = [address, ...guests.map((each) => each.address)].map(hostPart);
  if (new Set(addresses).size !== addresses.length)
    return fail('the host and its guests have an address each; two of these are one');
  const host = { id: randomUUID() as HostId, name, address: hostPart(address), ports };
  const choice: PoolChoice = {
    id: randomUUID(),
    name: 'pool',
    hypervisor: 'xen',
    hosts: [host],
    guests: { images: imagesDirectory, ...(type === undefined ? {} : { type }), guests },
  };
  return ok(choice);
}

function samePool(
  { address, name, guests, type }: SeedRequest,
  pool: PoolChoice,
): Result<PoolChoice, string> {
  const [host] = pool.hosts;
  if (pool.guests?.images !== imagesDirectory || host === undefined)
    return fail('this pool is not one of a host image; name another directory with --dir');
  if (name !== undefined && name !== host.name)
    return fail(
      `--name ${name}: this pool is of ${host.name}; a pool of a host image has one host`,
    );
  if (hostPart(address) !== host.address)
    return fail(`--address ${address}: ${host.name} has ${host.address}, for its whole life`);
  if (guests !== undefined && JSON.stringify(guests) !== JSON.stringify(pool.guests.guests))
    return fail('--guest: this pool was made with other addresses; leave the flag out');
  if (type !== undefined && type !== pool.guests.type)
    return fail('--guest-type: this pool was made with the other; leave the flag out');
  return ok(pool);
}

function hostPart(address: string): string {
  return address.split('/')[0] ?? '';
}
