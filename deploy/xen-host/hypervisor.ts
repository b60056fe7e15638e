import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { present } from '../../base/assert.ts';
import { debianPackage } from '../guest-image/runtime.ts';
import { cached, contentKey } from '../image/cache.ts';
import { BuildFailure, type Report } from '../image/command.ts';
import { downloadPackages, resolvePackages, unpackPackages } from '../image/packages.ts';

/** The release that the control domain's libraries and tools are of (deploy/guest-image/control-domain.ts). */
const packageName = 'xen-hypervisor-4.17-amd64';

/** A hypervisor, unpacked, as multiboot loaders want it. */
export interface Hypervisor {
  readonly path: string;
  readonly version: string;
}

/** Debian's hypervisor, from the cache or unpacked into it. */
export async function hypervisor(report: Report): Promise<Hypervisor> {
  const packages = await resolvePackages([packageName], 'amd64');
  const found = packages.find(({ name }) => name === packageName);
  if (found === undefined) throw new BuildFailure(`apt knows no package ${packageName}`);
  const key = contentKey([found.file, await readFile(import.meta.filename, 'utf8')]);
  const directory = await cached('hypervisor', key, report, async (aside) => {
    await downloadPackages([packageName], report, 'amd64');
    await unpackPackages([found], aside);
    const boot = join(aside, 'boot');
    const name = present(
      (await readdir(boot)).find((file) => /^xen-[\d.]+-amd64\.gz$/.test(file)),
      'the package has a hypervisor',
    );
    await writeFile(join(aside, 'xen'), gunzipSync(await readFile(join(boot, name))));
  });
  return { path: join(directory, 'xen'), version: debianPackage(found.file).version };
}
