import { join } from 'node:path';
import { poolRights } from '../../pool/access.ts';
import type { ServiceName } from '../../pool/records/host.ts';
import { addressOf } from './addresses.ts';
import type { HostChoice, PoolChoice } from './pool-choice.ts';

/** Where a service keeps what it keeps, and where it finds who it is: as its process or its guest sees it. */
export interface ServicePlaces {
  readonly dataDir: string;
  readonly tls: Readonly<Record<'ca' | 'certificate' | 'key', string>>;
}

/** A service's configuration, as its own schema reads it. */
export type ServiceConfiguration = Readonly<Record<string, unknown>>;

/** The network that every new pool has. */
const firstNetwork = { name: 'default', bridge: 'xenbr0' };

/** The bridge on which VMs and service guests are, in the control domain and in the network's guest. */
export const hostBridge = firstNetwork.bridge;

/** The places of a service that is a process. `directory` is the host's own. */
export function processPlaces(directory: string, service: ServiceName): ServicePlaces {
  const identity = join(directory, 'identity');
  return {
    dataDir: join(directory, service),
    tls: {
      ca: join(identity, 'ca.pem'),
      certificate: join(identity, `${service}.pem`),
      key: join(identity, `${service}-key.pem`),
    },
  };
}

/** The places of a service that is a guest: its data disk, and its seed. */
export function guestPlaces(service: ServiceName): ServicePlaces {
  return {
    dataDir: `/data/${service}`,
    tls: { ca: '/seed/ca.pem', certificate: '/seed/certificate.pem', key: '/seed/key.pem' },
  };
}

/** What each service but the member of the database is told. */
export function commonConfiguration(
  pool: PoolChoice,
  host: HostChoice,
  service: Exclude<ServiceName, 'consensus'>,
  places: ServicePlaces,
): ServiceConfiguration {
  return {
    hostId: host.id,
    hostName: host.name,
    listen: addressOf(pool, host, service),
    ...(pool.store === undefined
      ? { store: pool.hosts.map((each) => addressOf(pool, each, 'consensus')) }
      : { store: pool.store.endpoints, storeTls: pool.store.tls }),
    ...places,
  };
}

/** What the host's member of the pool's own database is told. */
export function memberConfiguration(
  pool: PoolChoice,
  host: HostChoice,
  places: ServicePlaces,
): ServiceConfiguration {
  return {
    name: host.name,
    listenClient: addressOf(pool, host, 'consensus'),
    listenPeer: addressOf(pool, host, 'peer'),
    clusterToken: pool.id,
    initialCluster: Object.fromEntries(
      pool.hosts.map((each) => [each.name, addressOf(pool, each, 'peer')]),
    ),
    initialClusterState: pool.databaseBegan === true ? 'existing' : 'new',
    rights: poolRights(pool.hosts),
    ...places,
  };
}

/** What the storage service is told. `sr` is the folder of the host's first SR. */
export function storageConfiguration(
  pool: PoolChoice,
  host: HostChoice,
  places: ServicePlaces,
  sr: string,
): ServiceConfiguration {
  return {
    ...commonConfiguration(pool, host, 'storage', places),
    srs: [{ name: `local-${host.name}`, path: sr }],
    attach: pool.hypervisor === 'simulated' ? 'file' : 'loop',
  };
}

/** What the network service is told. */
export function networkConfiguration(
  pool: PoolChoice,
  host: HostChoice,
  places: ServicePlaces,
): ServiceConfiguration {
  return {
    ...commonConfiguration(pool, host, 'network', places),
    driver: pool.hypervisor === 'simulated' ? 'simulated' : 'bridge',
    networks: [firstNetwork],
  };
}
