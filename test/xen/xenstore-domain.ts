import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../pool/images/manifest.ts';
import type { Host } from './host.ts';

/** Where the image is on the host. */
const place = '/var/lib/flotilla/images/xenstore';

/** Building the domain takes half a minute on a quiet machine, and minutes on a crowded one. */
const startTimeout = 900_000;

/**
 * Starts the xenstore domain of a host on which nobody serves xenstore (`flotilla.xenstored=none`), from
 * a guest image, and then Xen's tool stack, as `deploy/host-image/files/etc/flotilla/rc` does otherwise.
 */
export async function startXenstoreDomain(
  host: Host,
  image: string,
  manifest: Manifest,
  words: readonly string[] = [],
): Promise<void> {
  const { kernel, initramfs, commandLine, memory } = manifest;
  for (const { file } of [kernel, initramfs])
    await host.put(`${place}/${file}`, await readFile(join(image, file)));
  const start = [
    'cd /usr/lib/xen-4.17/bin',
    [
      './init-xenstore-domain',
      `--kernel ${place}/${kernel.file} --ramdisk ${place}/${initramfs.file}`,
      `--memory ${memory / 2 ** 20} --param "${[commandLine, ...words].join(' ')}"`,
    ].join(' '),
    './xen-init-dom0',
    './xenconsoled --pid-file=/run/xen/xenconsoled.pid --log=guest --log-dir=/var/log/xen/console',
  ];
  await host.sh(start.join(' && '), { timeout: startTimeout });
}
