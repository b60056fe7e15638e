import type { GuestModule, GuestService } from './guest-service.ts';

/** The release of Xen of which the control domain has tools and libraries: it goes with its hypervisor. */
const xen = '4.17';

/** Xen's tools that the control domain runs, where their package has them. */
function tool(name: string, why: string) {
  return { path: `usr/lib/xen-${xen}/bin/${name}`, package: `xen-utils-${xen}`, why };
}

/** How QEMU and KVM show disks and interfaces. Other machines' drivers are named when an image is built. */
const hardware: readonly GuestModule[] = [
  { name: 'virtio_pci' },
  { name: 'virtio_blk' },
  { name: 'virtio_net' },
];

/** What is mounted, and what serves the service guests' own disks and interfaces. */
const own: readonly GuestModule[] = [
  ...['ext4', 'crc32c_generic', 'xenfs', 'xen-privcmd', 'xen-evtchn', 'xen-gntdev'],
  ...['xen-blkback', 'xen-netback', 'bridge'],
].map((name) => ({ name }));

/**
 * The control domain of a host: the vm-lifecycle service with what starts a host and its guests. It is no
 * guest, since Xen itself starts it, but an image like theirs: a kernel, and one linked program with init.
 */
export const controlDomain = {
  command: 'host-boot',
  commands: {
    'host-boot': 'cli/boot/command.ts',
    'libxl-worker': 'hypervisor/xen/run-worker.ts',
    'vm-lifecycle': 'services/vm-lifecycle/main.ts',
    'service-guests': 'services/vm-lifecycle/service-guests/main.ts',
    'xenstore-domain': 'services/vm-lifecycle/xenstore-domain/main.ts',
    xenstored: 'services/xenstore/main.ts',
  },
  arguments: [],
  environment: {},
  leftOut: [],
  libraries: [
    ...[`libxenlight.so.${xen}`, `libxenctrl.so.${xen}`].map((name) => ({
      ...{ name, package: `libxenmisc${xen}` },
    })),
    { name: 'libxenstore.so.4', package: 'libxenstore4' },
    { name: 'libxentoollog.so.1', package: 'libxentoollog1' },
  ],
  programs: [
    tool('init-xenstore-domain', 'it builds the domain that keeps xenstore'),
    tool('xen-init-dom0', 'it tells xenstore and libxl of the control domain'),
    tool('xenconsoled', 'it has the consoles of guests'),
    { path: 'bin/ip', package: 'iproute2', why: "it makes the host's bridge" },
    { path: 'sbin/losetup', package: 'mount', why: "files become service guests' disks with it" },
    { path: 'sbin/mke2fs', package: 'e2fsprogs', why: "it formats service guests' disks" },
    { path: 'bin/true', package: 'coreutils', why: 'libxl runs it where others have scripts' },
  ],
  modules: [...hardware, ...own],
  kernel: 'generic',
  kernelWords: ['console=hvc0', 'flotilla.log=console'],
  devices: [],
  ports: [
    { port: 7421, protocol: 'tcp', purpose: 'the API of VMs and of the pool, by gRPC' },
    { port: 7424, protocol: 'tcp', purpose: "the host's xenstore, by gRPC" },
  ],
  runsAsRoot: true,
  capabilities: { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 },
  xenPrivileges: ['xen: the control domain: builds, sees and ends all others'],
  dataDirectory: '/data',
  imagesDirectory: '/images',
  // Where libxl and Xen's tools keep what is true of this boot alone (root-tree.ts has the links).
  directories: ['/run/lock', '/run/xen', '/run/xenstored', '/run/xen-lib'],
  terminals: true,
  memory: 512 * 2 ** 20,
  // What it starts is looked after by itself.
  signsOfLife: false,
  sysfs: true,
  asksXenbus: true,
} as const satisfies GuestService;
