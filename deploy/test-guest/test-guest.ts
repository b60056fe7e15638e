import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { present } from '../../base/assert.ts';
import { buildStatic } from '../guest-image/init.ts';
import { cached, contentKey, sourceKey } from '../image/cache.ts';
import type { Report } from '../image/command.ts';
import { writeDisk } from '../image/disk.ts';
import { buildInitrd } from '../image/initrd.ts';
import { insertionOrder } from '../image/kernel-modules.ts';
import { downloadPackages, resolvePackages, unpackPackages } from '../image/packages.ts';

/** Debian's kernel for clouds (PV and PVH built in) and a shell; only these two are unpacked. */
const wanted = ['linux-image-cloud-amd64', 'busybox-static'];
const unpacked = /^(linux-image-.+-cloud-amd64|busybox-static)$/;

/** The frontends and the backends, which this kernel has as modules. */
const modules = ['xen-blkfront', 'xen-netfront', 'xen-blkback', 'xen-netback'];

/** Compiles the program that puts a load on the guest's disk and on a connection; returns its file. */
export function buildLoad(report: Report): Promise<string> {
  const sources = join(import.meta.dirname, 'load');
  return buildStatic({ name: 'load', sources, architecture: 'x86_64' }, report);
}

/**
 * Builds the guest that tests boot on a host, as a read-only disk that holds two files for the
 * host's /var/lib/flotilla/boot: `vmlinuz-guest` and `initrd-guest`. Returns the disk's path.
 */
export async function buildTestGuest(report: Report): Promise<string> {
  const packages = (await resolvePackages(wanted)).filter(({ name }) => unpacked.test(name));
  const sources = await sourceKey([import.meta.dirname, join(import.meta.dirname, '../image')]);
  const load = await buildLoad(report);
  const key = contentKey([sources, load, ...packages.map(({ file }) => file)]);
  const directory = await cached('guest', key, report, async (aside) => {
    await downloadPackages(wanted, report);
    report('building the test guest');
    const root = join(aside, 'root');
    const tree = join(aside, 'tree');
    await mkdir(root);
    await mkdir(tree);
    await unpackPackages(packages, root);
    const names = await readdir(join(root, 'boot'));
    const kernel = present(
      names.find((name) => name.startsWith('vmlinuz-')),
      'the kernel package has a kernel',
    );
    const version = kernel.slice('vmlinuz-'.length);
    const poweroff = await readFile(join(import.meta.dirname, 'poweroff'));
    const initrd = await buildInitrd({
      busybox: join(root, 'bin/busybox'),
      init: join(import.meta.dirname, 'init'),
      modules: await insertionOrder(join(root, 'lib/modules', version), modules),
      entries: [
        { path: 'bin/load', kind: 'file', content: await readFile(load), mode: 0o755 },
        { path: 'sbin/poweroff', kind: 'file', content: poweroff, mode: 0o755 },
        { path: 'sbin/reboot', kind: 'link', target: 'poweroff' },
      ],
    });
    await rename(join(root, 'boot', kernel), join(tree, 'vmlinuz-guest'));
    await writeFile(join(tree, 'initrd-guest'), initrd);
    await writeDisk(tree, join(aside, 'guest.ext4'), { size: 32 * 2 ** 20, files: 64 });
    await rm(root, { recursive: true });
    await rm(tree, { recursive: true });
  });
  return join(directory, 'guest.ext4');
}
