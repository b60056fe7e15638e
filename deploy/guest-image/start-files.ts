import type { Manifest } from '../../pool/images/manifest.ts';
import { programPath } from './plan.ts';
import type { GuestService } from './services.ts';

const mebibyte = 2 ** 20;

/**
 * The files beside an image by which people start it, by their names. A control domain has none: a boot loader
 * starts it, with its hypervisor (deploy/xen-host).
 */
export function startFiles(manifest: Manifest, of: GuestService): Readonly<Record<string, string>> {
  const { service } = manifest;
  if (service === 'vm-lifecycle') return {};
  return {
    [`${service}.xl.cfg`]: xlConfiguration(manifest),
    [`${service}.service`]: systemdUnit(manifest, of),
  };
}

/** How a person starts the image on a Xen host: what is in `SERVICE.xl.cfg`. */
export function xlConfiguration(manifest: Manifest): string {
  return manifest.service === 'xenstore' ? xenstoreDomain(manifest) : plainDomain(manifest);
}

function head({ service, version, architecture }: Manifest): string[] {
  return [
    `# Flotilla ${version}, guest image of ${service} for ${architecture}. Paths are relative to the`,
    '# directory in which the command is run.',
  ];
}

function plainDomain(manifest: Manifest): string {
  const { service, kernel, initramfs, commandLine, memory } = manifest;
  return `${[
    ...head(manifest),
    `name = "flotilla-${service}"`,
    'type = "pvh"',
    `kernel = "${kernel.file}"`,
    `ramdisk = "${initramfs.file}"`,
    `cmdline = "${commandLine}"`,
    `memory = ${memory / mebibyte}`,
    'vcpus = 1',
    'on_crash = "restart"',
    '# Its address is given with: extra = "flotilla.address=ADDRESS/LEN flotilla.gateway=ADDRESS"',
    'vif = [ "bridge=xenbr0" ]',
    '# Its disks, with ext4, are given with flotilla.data=xvda flotilla.seed=xvdb; the seed has its',
    '# configuration.json and its keys, and flotilla service-guests makes both:',
    '# disk = [ "phy:/dev/VG/LV,xvda,w", "file:/PATH/seed.img,xvdb,r" ]',
  ].join('\n')}\n`;
}

/** xl builds no xenstore domain: it needs xenstore itself. */
function xenstoreDomain(manifest: Manifest): string {
  const { kernel, initramfs, commandLine, memory } = manifest;
  return `${[
    ...head(manifest),
    '# xl needs xenstore, so it is not xl that starts it. In a control domain in which no xenstored runs:',
    '#   init-xenstore-domain \\',
    `#     --kernel ${kernel.file} --ramdisk ${initramfs.file} --memory ${memory / mebibyte} \\`,
    `#     --param "${commandLine}"`,
  ].join('\n')}\n`;
}

/** The same service as a process of any system with systemd: what is in `SERVICE.service`. */
export function systemdUnit({ service }: Manifest, of: GuestService): string {
  const capabilities = Object.keys(of.capabilities).join(' ');
  const words = of.arguments.filter((word) => word !== '--xenstore-domain').map(asProcess);
  const config = of.dataDirectory === null ? [] : [`--config /etc/flotilla/${service}.json`];
  return `[Unit]
Description=Flotilla ${service}, as a process beside others (its guest runs ${programPath})
After=network-online.target

[Service]
ExecStart=/usr/bin/env flotilla ${[of.command, ...config, ...words].join(' ')}
Restart=always
RestartSec=100ms
RuntimeDirectory=flotilla
RuntimeDirectoryPreserve=yes
StateDirectory=flotilla
NoNewPrivileges=yes
CapabilityBoundingSet=${capabilities}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
RestrictSUIDSGID=yes

[Install]
WantedBy=multi-user.target
`;
}

/** A guest's data disk is a directory of a process. */
function asProcess(word: string): string {
  return word.replace(/^\/data\//, '/var/lib/flotilla/');
}
