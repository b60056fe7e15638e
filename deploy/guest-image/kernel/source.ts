import { cached, contentKey } from '../../image/cache.ts';
import { BuildFailure, type Report, run, shellQuote } from '../../image/command.ts';
import { downloadPackages, resolvePackages } from '../../image/packages.ts';

/** Debian's source of the kernel, of the same series as its cloud kernel. */
const wanted = 'linux-source-6.1';

/** What no guest's kernel is made from, and is half of the source. */
const excluded = [
  '*/Documentation/*.rst',
  '*/Documentation/*.yaml',
  '*/drivers/gpu/drm/*.[ch]',
  '*/drivers/net/wireless/*.[ch]',
  '*/drivers/media/*.[ch]',
  '*/drivers/staging/*.[ch]',
  '*/sound/*.[ch]',
  '*/tools/perf/*',
  '*/tools/testing/*',
  '*.dts',
];

/** The source of the kernel, unpacked. */
export interface KernelSource {
  readonly directory: string;
  /** The package's file, which carries Debian's version. */
  readonly package: string;
}

/** Debian's kernel source from the cache, or downloaded and unpacked into it. */
export async function kernelSource(report: Report): Promise<KernelSource> {
  const found = (await resolvePackages([wanted])).find(({ name }) => name === wanted);
  if (found === undefined) throw new BuildFailure(`apt resolved no package ${wanted}`);
  const key = contentKey([found.file, ...excluded]);
  const directory = await cached('kernel-source', key, report, async (aside) => {
    await downloadPackages([wanted], report);
    report(`unpacking ${wanted}`);
    const inner = `./usr/src/${wanted}.tar.xz`;
    const leaveOut = excluded.map((path) => shellQuote(`--exclude=${path}`)).join(' ');
    const steps = [
      `dpkg-deb --fsys-tarfile ${shellQuote(found.path)}`,
      `tar -x -O -f - ${inner}`,
      `nice -n 19 xz -d`,
      `tar -x --strip-components=1 ${leaveOut} -C ${shellQuote(aside)}`,
    ];
    await run('bash', ['-c', `set -o pipefail; ${steps.join(' | ')}`]);
  });
  return { directory, package: found.file };
}
