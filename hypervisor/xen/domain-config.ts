import type { DomainConfig } from '../port.ts';

/**
 * A domain's configuration in libxl's own JSON form (`libxl_domain_config_from_json`; field names
 * are those of tools/libs/light/libxl_types.idl of Xen 4.17). What is left out has libxl's default.
 */

/**
 * What libxl runs where it would run a hotplug script. libxl 4.17 always runs one; ours has
 * nothing to do, for the storage and network services connect the devices.
 */
export const hotplugScript = '/bin/true';

/** `libxl_domain_config` as JSON text. */
export function libxlConfig(config: DomainConfig): string {
  const kib = Math.ceil(config.memory / 1024);
  return JSON.stringify({
    c_info: {
      type: config.type,
      name: config.name,
      uuid: config.uuid,
      ...(config.driverDomain === true ? { driver_domain: 'True' } : {}),
      ...(config.id === undefined ? {} : { domid: config.id }),
    },
    b_info: {
      max_vcpus: config.vcpus,
      avail_vcpus: Array.from({ length: config.vcpus }, (_, vcpu) => vcpu),
      max_memkb: kib,
      target_memkb: kib,
      // Xen sets the memory aside first: two domains that are built at once cannot both fail late.
      claim_mode: 'True',
      kernel: config.kernel,
      ...(config.ramdisk === null ? {} : { ramdisk: config.ramdisk }),
      cmdline: config.commandLine,
      [`type.${config.type}`]: {},
    },
    // For a device with another backend than this domain libxl 4.17 looks at no path and runs no
    // script (libxl__device_disk_set_backend, device_hotplug): it writes the entries, and waits
    // until the driver domain's kernel has taken the device (state InitWait), for 10 s at most.
    disks: config.disks.map((disk) => ({
      backend_domid: disk.backend,
      pdev_path: disk.path,
      vdev: disk.vdev,
      backend: 'phy',
      format: 'raw',
      script: hotplugScript,
      readwrite: disk.readOnly ? 0 : 1,
    })),
    nics: config.nics.map((nic) => ({
      backend_domid: nic.backend,
      devid: nic.index,
      mac: nic.mac,
      bridge: nic.bridge,
      script: hotplugScript,
      nictype: 'vif',
    })),
    // libxl leaves these to its caller; they are recorded for those who read the configuration.
    on_poweroff: 'preserve',
    on_reboot: 'preserve',
    on_watchdog: 'preserve',
    on_crash: 'preserve',
  });
}

/** Linux's numbers for `xvd*`: a major number, and so many minor ones a disk. */
const xvdMajor = 202;
const partitionsPerDisk = 16;

/** The guest's name of the disk of a number, as `diskDeviceId` made it. */
export function diskName(device: number): string {
  const position = Math.floor((device - xvdMajor * 256) / partitionsPerDisk);
  return `xvd${String.fromCharCode('a'.charCodeAt(0) + position)}`;
}

/** The number by which xenbus knows `xvda` to `xvdp` (docs/man/xen-vbd-interface.7). */
export function diskDeviceId(vdev: string): number {
  return xvdMajor * 256 + (vdev.charCodeAt(3) - 'a'.charCodeAt(0)) * partitionsPerDisk;
}
