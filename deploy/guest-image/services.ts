import { serviceRights } from '../../pool/access.ts';
import type { ServiceName } from '../../pool/records/host.ts';
import { controlDomain } from './control-domain.ts';
import type { GuestModule, GuestService, LeftOut } from './guest-service.ts';

export type { GuestModule, GuestProgram, GuestService, LeftOut } from './guest-service.ts';

/** What every service is linked without. */
export const leftOutOfAll: readonly LeftOut[] = [
  { path: 'hypervisor/simulated/', why: 'a guest runs on a hypervisor, and simulates none' },
];

/** How a guest's disks and NICs reach it, on Xen and on KVM. */
const disk: readonly GuestModule[] = [
  { name: 'xen-blkfront' },
  { name: 'virtio_pci' },
  { name: 'virtio_blk' },
  { name: 'ext4' },
  { name: 'crc32c_generic' },
];
const nic: readonly GuestModule[] = [{ name: 'xen-netfront' }, { name: 'virtio_net' }];

/**
 * The same for a driver domain. What its backends hold of a VM are the VM's own pages, and Xen lets nobody
 * grant another domain's page to a third. A frontend that does not trust its backend sends copies, and so
 * what a VM has sent or written can go on to the control domain.
 */
function copying(modules: readonly GuestModule[]): readonly GuestModule[] {
  const isFrontend = ({ name }: GuestModule) => /^xen-.*front$/.test(name);
  return modules.map((each) => (isFrontend(each) ? { ...each, parameters: 'trusted=0' } : each));
}

/** What an ordinary guest says goes to the console of Xen, or to the first serial line. */
const consoles = ['console=ttyS0', 'console=hvc0', 'flotilla.log=console'];

/** Each of the services. */
export const guestServices = {
  xenstore: {
    command: 'xenstored',
    commands: { xenstored: 'services/xenstore/main.ts' },
    arguments: ['--xenstore-domain', '--data-dir', '/run/flotilla/xenstored'],
    environment: {},
    leftOut: [
      {
        path: 'services/xenstore/adapters/grpc.ts',
        why: 'a xenstore domain has no NIC: nobody could call it by gRPC',
      },
      { path: 'pool/rpc/server.ts', why: 'a xenstore domain has no NIC: nobody could call it' },
      { path: 'pool/identity/credentials.ts', why: 'a xenstore domain has nobody to prove it to' },
    ],
    programs: [],
    runsAsRoot: false,
    libraries: [{ name: 'libxenctrl.so.4.17', package: 'libxenmisc4.17' }],
    modules: [
      { name: 'xen-evtchn' },
      { name: 'xen-gntdev' },
      // Its `open` otherwise waits for the xenstore that this domain is to provide.
      { name: 'xen-privcmd', parameters: 'unrestricted=1' },
    ],
    kernel: 'cloud',
    // So does Linux's own client of xenstore, in a PVH domain, before it runs its first program.
    kernelWords: ['initcall_blacklist=xenbus_probe_initcall', 'flotilla.log=port-e9'],
    devices: ['/dev/xen/evtchn', '/dev/xen/gntdev', '/dev/xen/privcmd', '/dev/xen/hypercall'],
    ports: [],
    capabilities: {},
    xenPrivileges: [
      'xen: the xenstore domain (XEN_DOMCTL_CDF_xs_domain): asks what domains there are',
      'xen: VIRQ_DOM_EXC',
      'xen: grant 1 of each domain, and the event channel of its ring',
    ],
    dataDirectory: null,
    memory: 192 * 2 ** 20,
    signsOfLife: true,
    sysfs: false,
    asksXenbus: false,
  },
  consensus: {
    command: 'consensus',
    commands: { consensus: 'consensus/main.ts' },
    arguments: ['--data-dir', '/data/consensus'],
    // As consensus/lean-process.ts would start it.
    environment: {
      MALLOC_ARENA_MAX: '1',
      MALLOC_TRIM_THRESHOLD_: '131072',
      MALLOC_MMAP_THRESHOLD_: '32768',
    },
    leftOut: [],
    libraries: [],
    programs: [],
    runsAsRoot: false,
    modules: [...disk, ...nic],
    kernel: 'cloud',
    kernelWords: consoles,
    devices: [],
    ports: [
      { port: 2379, protocol: 'tcp', purpose: "the pool database's clients, by etcd's API" },
      { port: 2380, protocol: 'tcp', purpose: 'the other members of the pool database' },
    ],
    capabilities: {},
    xenPrivileges: [],
    dataDirectory: '/data',
    memory: 192 * 2 ** 20,
    signsOfLife: true,
    sysfs: false,
    asksXenbus: true,
  },
  network: {
    command: 'network',
    commands: { network: 'services/network/main.ts' },
    arguments: ['--data-dir', '/data/network'],
    ...{ environment: {}, libraries: [] },
    leftOut: [
      {
        path: 'services/network/adapters/bridge/simulated.ts',
        why: 'a guest has bridges of its own kernel, and simulates none',
      },
    ],
    programs: [{ path: 'bin/ip', package: 'iproute2', why: 'the service makes bridges with it' }],
    modules: [...disk, ...copying(nic), { name: 'bridge' }, { name: 'xen-netback' }],
    kernel: 'cloud',
    kernelWords: consoles,
    devices: ['/dev/xen/xenbus'],
    ports: [{ port: 7423, protocol: 'tcp', purpose: 'the network service, by gRPC' }],
    runsAsRoot: false,
    capabilities: { CAP_NET_ADMIN: 12 },
    xenPrivileges: ['xen: driver domain (driver_domain=1): backends of NICs'],
    dataDirectory: '/data',
    memory: 192 * 2 ** 20,
    signsOfLife: true,
    sysfs: true,
    asksXenbus: true,
  },
  storage: {
    command: 'storage',
    commands: { storage: 'services/storage/main.ts' },
    arguments: ['--data-dir', '/data/storage'],
    ...{ environment: {}, libraries: [], leftOut: [] },
    programs: [
      {
        path: 'sbin/losetup',
        package: 'mount',
        why: 'the service makes loop devices of images with it',
      },
    ],
    modules: [...copying(disk), ...nic, { name: 'xen-blkback' }],
    kernel: 'cloud',
    kernelWords: consoles,
    devices: ['/dev/xen/xenbus'],
    ports: [{ port: 7422, protocol: 'tcp', purpose: 'the storage service, by gRPC' }],
    runsAsRoot: true,
    capabilities: { CAP_SYS_ADMIN: 21 },
    xenPrivileges: ['xen: driver domain (driver_domain=1): backends of disks'],
    dataDirectory: '/data',
    memory: 192 * 2 ** 20,
    signsOfLife: true,
    sysfs: true,
    asksXenbus: true,
  },
  'vm-lifecycle': controlDomain,
} as const satisfies Readonly<Record<ServiceName, GuestService>>;

/** A service that has a guest image: each. */
export type GuestServiceName = keyof typeof guestServices;

/** Keys of the pool database that a service uses, by their beginnings. */
export function databasePrefixes(service: ServiceName): readonly string[] {
  const keys = serviceRights[service].map((right) =>
    'prefix' in right ? right.prefix : right.key,
  );
  return [...new Set(keys)].sort();
}
