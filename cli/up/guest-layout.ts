import { join } from 'node:path';
import { present } from '../../base/assert.ts';
import { guestOf } from './addresses.ts';
import type { HostProcess, Seed } from './layout.ts';
import type { HostChoice, PoolChoice } from './pool-choice.ts';
import {
  firstNetwork,
  memberConfiguration,
  processPlaces,
  type ServicePlaces,
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

/** An emulated host that builds a guest beside it has kept a member from answering for half a minute. */
const memberPatience = { serveSeconds: 600, hangSeconds: 120 };

/** In Xen's range; a bridge knows one member of the database. */
const memberMac = '00:16:3e:f1:07:01';

/** Where a guest has its data disk, and what it is given. */
const memberPlaces: ServicePlaces = {
  dataDir: '/data/consensus',
  tls: { ca: '/seed/ca.pem', certificate: '/seed/certificate.pem', key: '/seed/key.pem' },
};

/** The service guests of a host; null: all its services are processes. `directory` is the host's own. */
export function hostGuests(
  pool: PoolChoice,
  host: HostChoice,
  directory: string,
): HostGuests | null {
  const member = guestOf(pool, 'consensus');
  if (member === null) return null;
  const { images } = present(pool.guests, 'a pool with service guests');
  const { tls } = processPlaces(directory, 'consensus');
  const seed: Seed = {
    directory: join(directory, 'seeds', 'consensus'),
    configuration: memberConfiguration(pool, host, memberPlaces),
    files: Object.fromEntries(Object.entries(tls).map(([name, path]) => [`${name}.pem`, path])),
  };
  const process: HostProcess = {
    name: 'service-guests',
    command: ['service-guests'],
    configuration: {
      ...{ hostId: host.id, hostName: host.name, hypervisor: { kind: 'xen' } },
      dataDir: join(directory, 'service-guests'),
      trustedKeys: [join(images, 'trusted-key.pem')],
      guests: [
        {
          service: 'consensus',
          image: join(images, 'consensus'),
          data: { path: join(directory, 'consensus.img'), size: memberDisk },
          seed: seed.directory,
          nics: [{ mac: memberMac, bridge: firstNetwork.bridge }],
          address: member.address,
          patience: memberPatience,
        },
      ],
    },
  };
  return { process, seeds: [seed] };
}
