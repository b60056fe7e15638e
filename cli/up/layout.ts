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
  /**
   * All members of its own database have run: one that comes without data joins the others, and does
   * not begin another database.
   */
  readonly databaseBegan?: boolean | undefined;
}

/** A program that a host runs. */
export interface HostProcess {
  /** What its configuration and its log are named after. */
  readonly name: ServiceName | 'simulated-hypervisor';
  /** The subcommand of `flotilla` that runs it. */
  readonly command: readonly string[];
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** What `flotilla host up --config` reads. */
export interface HostPlan {
  readonly host: { readonly id: string; readonly name: string };
  /** Where its state is: absolute. */
  readonly directory: string;
  readonly processes: readonly HostProcess[];
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
    ...(pool.store === undefined ? { consensus: at(host, 'consensus') } : {}),
  };
}

/** Of several hosts at one address, which is for trying a pool out, one can serve its domains. */
function servesDomains(pool: PoolChoice, host: HostChoice): boolean {
  const first = pool.hosts.find((each) => each.address === host.address);
  return pool.hypervisor === 'xen' && first === host;
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
      ? { store: pool.hosts.map((each) => at(each, 'consensus')) }
      : { store: pool.store.endpoints, storeTls: pool.store.tls }),
    dataDir: join(directory, name),
    tls: tls(directory, name),
  });
  const services = endpoints(pool, host);
  const processes: HostProcess[] = [
    ...(pool.store === undefined ? [memberProcess(pool, host, directory)] : []),
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
  return { host: { id: host.id, name: host.name }, directory, processes };
}

/** The host's member of the pool's own database. */
function memberProcess(pool: PoolChoice, host: HostChoice, directory: string): HostProcess {
  return {
    name: 'consensus',
    command: ['consensus'],
    configuration: {
      name: host.name,
      dataDir: join(directory, 'consensus'),
      listenClient: at(host, 'consensus'),
      listenPeer: at(host, 'peer'),
      clusterToken: pool.id,
      initialCluster: Object.fromEntries(pool.hosts.map((each) => [each.name, at(each, 'peer')])),
      initialClusterState: pool.databaseBegan === true ? 'existing' : 'new',
      tls: tls(directory, 'consensus'),
      rights: poolRights(pool.hosts),
    },
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
