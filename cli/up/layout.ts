import { join } from 'node:path';
import { assert, present } from '../../base/assert.ts';
import { poolRights } from '../../pool/access.ts';
import type { ServiceName } from '../../pool/records/host.ts';
import type { HostId } from '../../pool/records/identifiers.ts';

/**
 * Which processes make a host, and how each is configured: a pure function of what was chosen when
 * the pool was made. `flotilla up` writes what comes out of it; `flotilla host up` runs it.
 */

/** The ports of one host, all on the same address. */
export interface HostPorts {
  readonly 'vm-lifecycle': number;
  readonly storage: number;
  readonly network: number;
  readonly xenstore: number;
  readonly consensus: number;
  readonly peer: number;
}

/** The names of the ports, in the order in which they are chosen. */
export const portNames = [
  'vm-lifecycle',
  'storage',
  'network',
  'xenstore',
  'consensus',
  'peer',
] as const satisfies readonly (keyof HostPorts)[];

/** One host, as it was chosen. */
export interface HostChoice {
  readonly id: HostId;
  readonly name: string;
  /** The address that its services listen on, and that others reach them by. */
  readonly address: string;
  readonly ports: HostPorts;
}

/** A cluster of etcd that a pool uses in place of a database of its own. */
export interface StoreChoice {
  /** HOST:PORT of its members. */
  readonly endpoints: readonly string[];
  /** Files of PEM, absolute paths; null: plain text, on loopback addresses only. */
  readonly tls: {
    readonly ca: string;
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
  } | null;
}

/** A service of a host that runs as a guest of its own, from a signed image. */
export interface ServiceGuest {
  readonly service: GuestService;
  /** ADDRESS/LENGTH on the bridge of the host's guests; IPv4. */
  readonly address: string;
}

/** The services that `flotilla up` can run as guests. */
export const guestServices = ['consensus'] as const;
export type GuestService = (typeof guestServices)[number];

/** What a host's service guests are made of. Paths are absolute. */
export interface GuestsChoice {
  /** A directory with an image for each service, and `trusted-key.pem`, the key that signed them. */
  readonly images: string;
  readonly guests: readonly ServiceGuest[];
}

/**
 * A pool, as it was chosen. It never changes afterwards, but for the addresses of an etcd, and for
 * what is known of its database.
 */
export interface PoolChoice {
  /** A UUID: members of pools of the same name do not mistake each other for their own. */
  readonly id: string;
  readonly name: string;
  readonly hypervisor: 'xen' | 'simulated';
  readonly hosts: readonly HostChoice[];
  /** Left out: each host runs a member of the pool's own database. */
  readonly store?: StoreChoice | undefined;
  /** Left out: all services are processes. A pool with service guests has one host. */
  readonly guests?: GuestsChoice | undefined;
  /**
   * All members of its own database have run: one that comes without data joins the others, and does
   * not begin another database.
   */
  readonly databaseBegan?: boolean | undefined;
}

/** A program that a host runs. */
export interface HostProcess {
  /** What its configuration and its log are named after. */
  readonly name: ServiceName | 'service-guests' | 'simulated-hypervisor';
  /** The subcommand of `flotilla` that runs it. */
  readonly command: readonly string[];
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** What a service's guest is given at each start: a directory of files, for nobody else. */
export interface Seed {
  /** Absolute. */
  readonly directory: string;
  /** Becomes `configuration.json`. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Files that are copied: their names in the seed, and where they are. */
  readonly files: Readonly<Record<string, string>>;
}

/** What `flotilla host up --config` reads. */
export interface HostPlan {
  readonly host: { readonly id: string; readonly name: string };
  /** Where its state is: absolute. */
  readonly directory: string;
  readonly processes: readonly HostProcess[];
  readonly seeds?: readonly Seed[] | undefined;
}

/** What guests boot where a VM names no kernel of its own: files in the host's image. */
const xenDefaultBoot = {
  kernel: '/var/lib/flotilla/boot/vmlinuz-guest',
  ramdisk: '/var/lib/flotilla/boot/initrd-guest',
  commandLine: 'console=hvc0',
};

/**
 * What the xenstored of a Xen host has been doing since the host's boot, when no pool was there yet, the
 * pool's goes on with. The files are of this boot: /run is empty after the next one.
 */
const xenstoreOfHost = {
  dataDir: '/run/flotilla/xenstored',
  pidFile: '/run/flotilla/xenstored.pid',
  takeOver: true,
};

/** The ports of a member in its guest: those that its image's manifest names. */
const memberPorts = { consensus: 2379, peer: 2380 };

/** Bytes of a member's data disk: sixteen times the store that it may hold, for log and snapshots. */
const memberDisk = 2 ** 30;

/** An emulated host that builds a guest beside it has kept a member from answering for half a minute. */
const memberPatience = { serveSeconds: 600, hangSeconds: 120 };

/** In Xen's range; a bridge knows one member of the database. */
const memberMac = '00:16:3e:f1:07:01';

/** Where a guest has its data disk, and what it is given. */
const guestData = '/data';
const seedTls = {
  ca: '/seed/ca.pem',
  certificate: '/seed/certificate.pem',
  key: '/seed/key.pem',
};

/** The network that every new pool has. */
const firstNetwork = { name: 'default', bridge: 'xenbr0' };

function at(host: HostChoice, port: keyof HostPorts): string {
  return `${host.address}:${host.ports[port]}`;
}

/** HOST:PORT of each service of a host. */
export function endpoints(
  pool: PoolChoice,
  host: HostChoice,
): Readonly<Partial<Record<ServiceName, string>>> {
  return {
    'vm-lifecycle': at(host, 'vm-lifecycle'),
    storage: at(host, 'storage'),
    network: at(host, 'network'),
    xenstore: at(host, 'xenstore'),
    ...(pool.store === undefined ? { consensus: member(pool, host, 'consensus') } : {}),
  };
}

/** Of several hosts at one address, which is for trying a pool out, one can serve its domains. */
function servesDomains(pool: PoolChoice, host: HostChoice): boolean {
  const first = pool.hosts.find((each) => each.address === host.address);
  return pool.hypervisor === 'xen' && first === host;
}

/** HOST:PORT of the member of a host, for clients or for other members. */
function member(pool: PoolChoice, host: HostChoice, port: 'consensus' | 'peer'): string {
  const address = guestAddress(pool, 'consensus');
  return address === null ? at(host, port) : `${address}:${memberPorts[port]}`;
}

/** The processes of one host of the pool. `directory` is the host's own. */
export function hostPlan(pool: PoolChoice, hostName: string, directory: string): HostPlan {
  const host = present(
    pool.hosts.find((each) => each.name === hostName),
    `a host of the pool named ${hostName}`,
  );
  assert(directory.startsWith('/'), 'the host directory is absolute');
  const simulated = pool.hypervisor === 'simulated';
  const socket = join(directory, 'hypervisor.sock');
  const common = (name: ServiceName) => ({
    hostId: host.id,
    hostName: host.name,
    listen: at(host, name),
    ...(pool.store === undefined
      ? { store: pool.hosts.map((each) => member(pool, each, 'consensus')) }
      : { store: pool.store.endpoints, storeTls: pool.store.tls }),
    dataDir: join(directory, name),
    tls: tls(directory, name),
  });
  const services = endpoints(pool, host);
  const guests =
    guestAddress(pool, 'consensus') === null ? null : hostGuests(pool, host, directory);
  const ownMember = pool.store === undefined && guests === null;
  const processes: HostProcess[] = [
    ...(ownMember ? [memberProcess(pool, host, directory)] : []),
    ...(guests === null ? [] : [guests.process]),
    {
      name: 'xenstore',
      command: ['xenstored'],
      configuration: {
        ...common('xenstore'),
        socket: join(directory, 'xenstored.sock'),
        ...(servesDomains(pool, host) ? xenstoreOfHost : {}),
      },
    },
    {
      name: 'storage',
      command: ['storage'],
      configuration: {
        ...common('storage'),
        srs: [{ name: `local-${host.name}`, path: join(directory, 'sr') }],
        attach: simulated ? 'file' : 'loop',
      },
    },
    {
      name: 'network',
      command: ['network'],
      configuration: {
        ...common('network'),
        driver: simulated ? 'simulated' : 'bridge',
        networks: [firstNetwork],
      },
    },
    {
      name: 'vm-lifecycle',
      command: ['vm-lifecycle'],
      configuration: {
        ...common('vm-lifecycle'),
        hypervisor: simulated ? { kind: 'simulated', socket } : { kind: 'xen' },
        services,
        ...(guests === null ? {} : { serviceGuestsDir: join(directory, 'service-guests') }),
        defaultBoot: simulated ? { kernel: '', ramdisk: '', commandLine: '' } : xenDefaultBoot,
      },
    },
  ];
  if (simulated)
    processes.unshift({
      name: 'simulated-hypervisor',
      command: ['simulated-hypervisor'],
      configuration: { socket },
    });
  return {
    ...{ host: { id: host.id, name: host.name }, directory, processes },
    ...(guests === null ? {} : { seeds: guests.seeds }),
  };
}

/** The host's member of the pool's own database, as a process. */
function memberProcess(pool: PoolChoice, host: HostChoice, directory: string): HostProcess {
  const places = { dataDir: join(directory, 'consensus'), tls: tls(directory, 'consensus') };
  return {
    name: 'consensus',
    command: ['consensus'],
    configuration: { ...memberConfiguration(pool, host), ...places },
  };
}

/** The host's service guests: who supervises them, and what each is given. */
function hostGuests(pool: PoolChoice, host: HostChoice, directory: string) {
  const { images } = present(pool.guests, 'a pool with service guests');
  const address = present(pool.guests?.guests.find(isMember), 'a guest of consensus').address;
  const seed: Seed = {
    directory: join(directory, 'seeds', 'consensus'),
    configuration: {
      ...memberConfiguration(pool, host),
      ...{ dataDir: `${guestData}/consensus`, tls: seedTls },
    },
    files: Object.fromEntries(
      Object.entries(tls(directory, 'consensus')).map(([name, path]) => [`${name}.pem`, path]),
    ),
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
          address,
          patience: memberPatience,
        },
      ],
    },
  };
  return { process, seeds: [seed] };
}

function isMember({ service }: ServiceGuest): boolean {
  return service === 'consensus';
}

/** The address of a service's guest, without the length of its prefix; null: it is a process. */
function guestAddress(pool: PoolChoice, service: GuestService): string | null {
  const found = pool.guests?.guests.find((each) => each.service === service);
  return found?.address.split('/')[0] ?? null;
}

function memberConfiguration(pool: PoolChoice, host: HostChoice) {
  return {
    name: host.name,
    listenClient: member(pool, host, 'consensus'),
    listenPeer: member(pool, host, 'peer'),
    clusterToken: pool.id,
    initialCluster: Object.fromEntries(
      pool.hosts.map((each) => [each.name, member(pool, each, 'peer')]),
    ),
    initialClusterState: pool.databaseBegan === true ? 'existing' : 'new',
    rights: poolRights(pool.hosts),
  };
}

function tls(directory: string, name: ServiceName): Readonly<Record<string, string>> {
  const identity = join(directory, 'identity');
  return {
    ca: join(identity, 'ca.pem'),
    certificate: join(identity, `${name}.pem`),
    key: join(identity, `${name}-key.pem`),
  };
}
