import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { present } from '../../../base/assert.ts';
import type { Architecture } from '../../../pool/images/manifest.ts';
import { cached, contentKey, sourceKey } from '../../image/cache.ts';
import { BuildFailure, type Report } from '../../image/command.ts';
import { downloadPackages, resolvePackages, unpackPackages } from '../../image/packages.ts';
import { optionsOn } from './configuration.ts';
import type { GuestKernel } from './guest-kernel.ts';

/** Debian's kernel for virtual machines, of which Xen's PV and PVH are built in. */
const debian = {
  x86_64: { architecture: 'amd64', name: 'linux-image-cloud-amd64' },
  aarch64: { architecture: 'arm64', name: 'linux-image-cloud-arm64' },
} as const;

/** Debian's kernel for clouds as it is, with its modules, from the cache or unpacked into it. */
export async function cloudKernel(
  architecture: Architecture,
  report: Report,
): Promise<GuestKernel> {
  const { name, architecture: packaged } = debian[architecture];
  const packages = await resolvePackages([name], packaged);
  const kernels = packages.filter((found) => /^linux-image-.+-cloud-/.test(found.name));
  if (kernels.length === 0) throw new BuildFailure(`${name} needs no package with a kernel`);
  const sources = await sourceKey([join(import.meta.dirname, '../../image')]);
  const key = contentKey([sources, ...kernels.map(({ file }) => file)]);
  const directory = await cached(`kernel-cloud-${architecture}`, key, report, async (aside) => {
    await downloadPackages([name], report, packaged);
    report(`unpacking ${name}`);
    await unpackPackages(kernels, aside);
  });
  const boot = join(directory, 'boot');
  const prefix = 'vmlinuz-';
  const file = present(
    (await readdir(boot)).find((entry) => entry.startsWith(prefix)),
    'the kernel package has a kernel',
  );
  const release = file.slice(prefix.length);
  const configuration = await readFile(join(boot, `config-${release}`), 'utf8');
  return {
    image: join(boot, file),
    release,
    origin: 'cloud',
    options: optionsOn(configuration),
    modules: join(directory, 'lib/modules', release),
  };
}
