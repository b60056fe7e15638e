import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '../../../pool/images/manifest.ts';
import type { ServiceName } from '../../../pool/records/host.ts';
import { cacheDirectory, cached, contentKey } from '../../image/cache.ts';
import { BuildFailure, type Report } from '../../image/command.ts';
import type { Options } from './configuration.ts';
import { optionsOn, parseFragment, renderOptions, unmetOptions } from './configuration.ts';
import { serviceOptions } from './fragments.ts';
import type { GuestKernel } from './guest-kernel.ts';
import { make } from './make.ts';
import { kernelSource } from './source.ts';
import { kernelTools } from './tools.ts';

/** What the kernel's build writes into the kernel of where and when it was built: the same always. */
const identity = [
  'KBUILD_BUILD_TIMESTAMP=@0',
  'KBUILD_BUILD_USER=flotilla',
  'KBUILD_BUILD_HOST=flotilla',
  'KBUILD_BUILD_VERSION=1',
  'LOCALVERSION=',
];

/** The file that is booted: compressed, and for aarch64 in the one form that QEMU and Xen both take. */
const images = {
  x86_64: { target: 'bzImage', file: 'arch/x86/boot/bzImage' },
  aarch64: { target: 'Image.gz', file: 'arch/arm64/boot/Image.gz' },
} as const;

/** So many compiled files are one line of progress. */
const filesPerLine = 200;

/** Says with which source and tools the kept objects of an architecture were compiled. */
const madeWith = 'made-with';

/** What a kernel's directory in the cache holds. */
const files = { image: 'vmlinuz', configuration: 'config', release: 'release' } as const;

/**
 * The kernel with what a service needs alone and nothing as a module, built from Debian's source,
 * from the cache or into it. Its bytes follow from the source's version, the fragments and the
 * compiler's version, not from where or when it is built.
 */
export async function specialisedKernel(
  service: ServiceName,
  architecture: Architecture,
  report: Report,
): Promise<GuestKernel> {
  const options = await serviceOptions(service, architecture);
  const tools = await kernelTools(architecture);
  const source = await kernelSource(report);
  const settings = [...tools.settings, ...identity];
  const { target, file } = images[architecture];
  const key = contentKey([
    ...[source.package, renderOptions(options), target],
    ...[...settings, ...tools.versions],
  ]);
  const kind = `kernel-${service}-${architecture}`;
  const build = async (aside: string): Promise<void> => {
    const objects = await keptObjects(architecture, [source.package, ...tools.versions]);
    const common = ['-C', source.directory, `O=${objects}`, ...settings];
    await configure(common, objects, options);
    report(`compiling the kernel of ${service} for ${architecture}`);
    let compiled = 0;
    await make([...common, `-j${availableParallelism()}`, target], (line) => {
      if (!/^ {2}(CC|AS) /.test(line)) return;
      compiled += 1;
      if (compiled % filesPerLine === 0) report(`compiled ${compiled} files of the kernel`);
    });
    await copyFile(join(objects, file), join(aside, files.image));
    await copyFile(join(objects, '.config'), join(aside, files.configuration));
    await copyFile(join(objects, 'include/config/kernel.release'), join(aside, files.release));
  };
  // Minutes of compiling are nothing that others of the cache, such as the lab, have to wait for.
  const directory = await cached(kind, key, report, build, 'kernels');
  return {
    image: join(directory, files.image),
    release: (await readFile(join(directory, files.release), 'utf8')).trim(),
    origin: 'specialised',
    options: optionsOn(await readFile(join(directory, files.configuration), 'utf8')),
    modules: null,
  };
}

/**
 * The directory of an architecture's compiled files. The kernel's build knows which options each file
 * depends on, so what the next service's kernel has in common with the last one's is not compiled
 * again, and a build that was killed goes on. Another source or compiler begins anew.
 */
async function keptObjects(architecture: Architecture, parts: readonly string[]): Promise<string> {
  const directory = join(cacheDirectory(), `kernel-objects-${architecture}`);
  const note = join(directory, madeWith);
  const key = contentKey(parts);
  if ((await readFile(note, 'utf8').catch(() => '')) !== key) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await writeFile(note, key);
  }
  return directory;
}

/**
 * Turns on what is wanted and what that cannot be without, and nothing else. An option that the
 * kernel's rules did not let have its value is a `BuildFailure` that names it.
 */
async function configure(
  common: readonly string[],
  objects: string,
  options: Options,
): Promise<void> {
  const wanted = join(objects, 'wanted.config');
  await writeFile(wanted, renderOptions(options));
  await make([...common, `KCONFIG_ALLCONFIG=${wanted}`, 'allnoconfig']);
  const finished = parseFragment('.config', await readFile(join(objects, '.config'), 'utf8'));
  if (!finished.ok) throw new BuildFailure(`the kernel's configuration: ${finished.error}`);
  const unmet = unmetOptions(options, finished.value.options);
  if (unmet.length === 0) return;
  const each = unmet.map(({ option, wanted: value, got }) => `${option} is ${got}, not ${value}`);
  throw new BuildFailure(
    `the kernel's rules leave options otherwise than the fragments set them: ${each.join('; ')}; see what these options depend on`,
  );
}
