import { join } from 'node:path';
import { guestOf } from './addresses.ts';
import type { HostProcess, Seed } from './host-plan.ts';
import {
  type GuestService,
  type GuestsChoice,
  guestServices,
  type HostChoice,
  type PoolChoice,
  type ServiceGuest,
} from './pool-choice.ts';
import {
  guestPlaces,
  hostBridge,
  memberConfiguration,
  networkConfiguration,
  processPlaces,
  type ServiceConfiguration,
  storageConfiguration,
} from './service-configuration.ts';

/** A host's service guests. */
export interface HostGuests {
  /** Who supervises them. */
  readonly process: HostProcess;
  /** What each of them is given. */
  readonly seeds: readonly Seed[];
}

/** Bytes of a member's data disk: sixteen times the store that it may hold, for log and snapshots. */
const memberDisk = 2 ** 30;

/** Bytes of the disk with a host's SR. It is sparse: what VMs have not written takes nothing of the host. */
const storageDisk = 64 * 2 ** 30;

/**
 * An emulated host that builds a guest beside it has kept a member from answering for half a minute. A
 * guest that is to stop may take 25 s for it, and longer on such a host.
 */
const patience = { serveSeconds: 600, hangSeconds: 120, stopSeconds: 60 };

/** In Xen's range; a bridge knows one guest of each service. */
const macs: Readonly<Record<GuestService, string>> = {
  consensus: '00:16:3e:f1:07:01',
  network: '00:16:3e:f1:07:02',
  storage: '00:16:3e:f1:07:03',
};

/** Where the storage service has its SR, on its data disk. */
const srInGuest = '/data/sr';

/** The service guests of a host; null: all its services are processes. `directory` is the host's own. */
export function hostGuests(
  pool: PoolChoice,
  host: HostChoice,
  directory: string,
): HostGuests | null {
  if (pool.guests === undefined) return null;
  const { guests: choice } = pool;
  const guests = guestServices
    .map((service) => guestOf(pool, service))
    .filter((guest) => guest !== null);
  const process: HostProcess = {
    name: 'service-guests',
    command: ['service-guests'],
    configuration: {
      ...{ hostId: host.id, hostName: host.name, hypervisor: { kind: 'xen' } },
      dataDir: join(directory, 'service-guests'),
      trustedKeys: [choice.trustedKey ?? join(choice.images, 'trusted-key.pem')],
      guests: guests.map((guest) => guestConfiguration(choice, guest, directory)),
    },
  };
  return { process, seeds: guests.map(({ service }) => seedOf(pool, host, service, directory)) };
}

/** A guest as its supervisor is told of it. */
function guestConfiguration(
  { images, type }: GuestsChoice,
  { service, address }: ServiceGuest,
  directory: string,
): Readonly<Record<string, unknown>> {
  const data = (size: number) => ({ data: { path: join(directory, `${service}.img`), size } });
  const own = {
    consensus: data(memberDisk),
    // It keeps nothing: what it knows of interfaces is true as long as its kernel has them.
    network: { driverDomain: true, bridge: hostBridge },
    storage: { driverDomain: true, ...data(storageDisk) },
  };
  return {
    service,
    ...(type === undefined ? {} : { type }),
    image: join(images, service),
    seed: seedDirectory(directory, service),
    nics: [{ mac: macs[service], bridge: hostBridge }],
    address,
    patience,
    ...own[service],
  };
}

function seedOf(
  pool: PoolChoice,
  host: HostChoice,
  service: GuestService,
  directory: string,
): Seed {
  const { tls } = processPlaces(directory, service);
  return {
    directory: seedDirectory(directory, service),
    configuration: inGuest(pool, host, service),
    files: Object.fromEntries(Object.entries(tls).map(([name, path]) => [`${name}.pem`, path])),
  };
}

function inGuest(pool: PoolChoice, host: HostChoice, service: GuestService): ServiceConfiguration {
  const places = guestPlaces(service);
  switch (service) {
    case 'consensus':
      return memberConfiguration(pool, host, places);
    case 'network':
      return networkConfiguration(pool, host, places);
    case 'storage':
      return storageConfiguration(pool, host, places, srInGuest);
  }
}

function seedDirectory(directory: string, service: GuestService): string {
  return join(directory, 'seeds', service);
}
