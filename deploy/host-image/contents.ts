/** The Debian packages of a host; what they need comes with them. */
export const hostPackages = [
  'usr-is-merged',
  // the hypervisor, the control domain's kernel, and Xen's tools
  'xen-hypervisor-4.17-amd64',
  'xen-utils-4.17',
  'xenstore-utils',
  'linux-image-amd64',
  // what Xen's scripts and people at a prompt expect
  'base-files',
  'bash',
  'bridge-utils',
  'bsdutils',
  'busybox-static',
  'coreutils',
  'dash',
  'e2fsprogs',
  'findutils',
  'grep',
  'gzip',
  'hostname',
  'iproute2',
  'iputils-arping',
  'iputils-ping',
  'kmod',
  'mawk',
  'mount',
  'procps',
  'sed',
  'socat',
  'strace',
  'tar',
  'tcpdump',
  'util-linux',
  // what Node is linked against
  'libstdc++6',
  // drivers of storage and network
  'lvm2',
  'nbd-client',
  'nftables',
  'openvswitch-switch',
];

/** Modules between the kernel and its root disk. */
export const initrdModules = ['virtio_pci', 'virtio_blk', 'ext4', 'crc32c_generic'];

/** Kernel modules for hardware that no host in the lab has; they are two thirds of all. */
export const unusedDrivers = [
  'sound',
  'drivers/gpu',
  'drivers/hid',
  'drivers/iio',
  'drivers/infiniband',
  'drivers/input',
  'drivers/media',
  'drivers/net/wireless',
  'drivers/staging',
  'drivers/usb',
  'net/bluetooth',
  'net/mac80211',
  'net/wireless',
];
