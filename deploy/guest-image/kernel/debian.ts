import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { present } from '../../../base/assert.ts';
import type { Architecture } from '../../../pool/images/manifest.ts';
import { cached, contentKey, sourceKey } from '../../image/cache.ts';
import { BuildFailure, type Report, run } from '../../image/command.ts';
import { downloadPackages, resolvePackages, unpackPackages } from '../../image/packages.ts';
import { machines } from '../machines.ts';
import { optionsOn } from './configuration.ts';
import type { GuestKernel, KernelOrigin } from './guest-kernel.ts';

/** What Debian builds for all: for virtual machines, Xen's PV and PVH among them, and for any machine. */
type DebianOrigin = Exclude<KernelOrigin, 'specialised'>;

/** Which of the packages that a kernel's name needs has the kernel. */
const packageOf: Readonly<Record<DebianOrigin, RegExp>> = {
  cloud: /^linux-image-\d.*-cloud-/,
  generic: /^linux-image-\d(?!.*-cloud-)/,
};

/** What a kernel's file is called, before its release. */
const prefix = 'vmlinuz-';

/**
 * A kernel of Debian's, with its modules, from the cache or unpacked into it. It is as it is, but for
 * aarch64: there Debian's is not compressed, and takes twice as much as all the rest of an image. QEMU and
 * Xen unpack it themselves.
 */
export async function debianKernel(
  origin: DebianOrigin,
  architecture: Architecture,
  report: Report,
): Promise<GuestKernel> {
  const { debian: packaged } = machines[architecture];
  const name = `linux-image-${origin === 'cloud' ? 'cloud-' : ''}${packaged}`;
  const packages = await resolvePackages([name], packaged);
  const kernels = packages.filter((found) => packageOf[origin].test(found.name));
  if (kernels.length === 0) throw new BuildFailure(`${name} needs no package with a kernel`);
  const sources = await sourceKey([join(import.meta.dirname, '../../image')]);
  const isCompressed = architecture === 'x86_64';
  const form = isCompressed ? [] : ['gzip'];
  const key = contentKey([sources, ...form, ...kernels.map(({ file }) => file)]);
  const directory = await cached(`kernel-${origin}-${architecture}`, key, report, async (aside) => {
    await downloadPackages([name], report, packaged);
    report(`unpacking ${name}`);
    await unpackPackages(kernels, aside);
    if (!isCompressed) await compress(join(aside, 'boot'));
  });
  const boot = join(directory, 'boot');
  const file = await kernelIn(boot);
  const release = file.slice(prefix.length);
  const configuration = await readFile(join(boot, `config-${release}`), 'utf8');
  return {
    image: join(boot, file),
    release,
    origin,
    options: optionsOn(configuration),
    modules: join(directory, 'lib/modules', release),
  };
}

async function kernelIn(boot: string): Promise<string> {
  const names = await readdir(boot);
  return present(
    names.find((name) => name.startsWith(prefix)),
    'the kernel package has a kernel',
  );
}

/** Puts the compressed form in the place of a kernel; it says nothing of when it was made (-n). */
async function compress(boot: string): Promise<void> {
  const path = join(boot, await kernelIn(boot));
  await run('gzip', ['-9', '-n', path]);
  await rename(`${path}.gz`, path);
}
