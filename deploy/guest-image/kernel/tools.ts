import { access } from 'node:fs/promises';
import { runCommand } from '../../../base/command.ts';
import { milliseconds } from '../../../base/units.ts';
import type { Architecture } from '../../../pool/images/manifest.ts';
import { BuildFailure, run } from '../../image/command.ts';

/** What compiles a kernel for an architecture. */
export interface Tools {
  /** How `make` is told of them. */
  readonly settings: readonly string[];
  /** Which they are, to the version: other tools make other bytes. */
  readonly versions: readonly string[];
  /** The C compiler, which also makes programs for a guest of this architecture. */
  readonly compiler: string;
}

/** The prefix of the cross compiler's programs; empty where the machine has the architecture. */
const prefixes = { x86_64: 'x86_64-linux-gnu-', aarch64: 'aarch64-linux-gnu-' } as const;
const names = { x86_64: 'x86', aarch64: 'arm64' } as const;
const machines = { x86_64: 'x64', aarch64: 'arm64' } as const;
const compilers = { x86_64: 'gcc-x86-64-linux-gnu', aarch64: 'gcc-aarch64-linux-gnu' } as const;

/** Programs that the kernel's build calls, by the Debian package that has them. */
const programs: readonly (readonly [program: string, from: string])[] = [
  ['make', 'make'],
  ['gcc', 'gcc'],
  ['flex', 'flex'],
  ['bison', 'bison'],
  ['bc', 'bc'],
  ['zstd', 'zstd'],
  ['gzip', 'gzip'],
];

/** A header for a program of the build itself (objtool, x86_64 only). */
const elfHeader = '/usr/include/gelf.h';

/** Looks for a program; a version is asked for in the way that all of these understand. */
async function isInstalled(program: string): Promise<boolean> {
  const asked = await runCommand(program, ['--version'], milliseconds(10_000));
  return asked.ok || asked.error.kind !== 'missing';
}

/** The Debian packages that a kernel's build for an architecture lacks on this machine. */
async function missingPackages(architecture: Architecture, prefix: string): Promise<string[]> {
  const missing: string[] = [];
  for (const [program, from] of programs) if (!(await isInstalled(program))) missing.push(from);
  if (prefix !== '' && !(await isInstalled(`${prefix}gcc`))) missing.push(compilers[architecture]);
  const header =
    architecture !== 'x86_64' ||
    (await access(elfHeader).then(
      () => true,
      () => false,
    ));
  return header ? missing : [...missing, 'libelf-dev'];
}

/** The tools for an architecture. What is not installed is a `BuildFailure` that names its package. */
export async function kernelTools(architecture: Architecture): Promise<Tools> {
  const prefix = process.arch === machines[architecture] ? '' : prefixes[architecture];
  const missing = await missingPackages(architecture, prefix);
  if (missing.length > 0)
    throw new BuildFailure(
      `a kernel for ${architecture} needs Debian packages that are not installed; install them with: apt-get install ${missing.join(' ')}`,
    );
  const versions: string[] = [];
  for (const program of [`${prefix}gcc`, `${prefix}ld`])
    versions.push((await run(program, ['--version'])).split('\n')[0] ?? '');
  const settings = [`ARCH=${names[architecture]}`, `CROSS_COMPILE=${prefix}`];
  return { settings, versions, compiler: `${prefix}gcc` };
}
