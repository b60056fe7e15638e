import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Architecture } from '../../pool/images/manifest.ts';
import { cached, contentKey } from '../image/cache.ts';
import { BuildFailure, type Report } from '../image/command.ts';
import {
  downloadPackages,
  type Package,
  resolvePackages,
  unpackPackages,
} from '../image/packages.ts';
import { elfFacts } from './elf.ts';
import { machines } from './machines.ts';
import type { GuestProgram } from './services.ts';

/** A shared library by its name, such as `libc.so.6`, and why it is needed. */
export interface NeededLibrary {
  readonly name: string;
  readonly why: string;
}

/** A shared library, or a program, of a Debian package. */
export interface Library extends NeededLibrary {
  readonly file: string;
  readonly package: Package;
}

/**
 * The libraries and programs that are needed, and all libraries that they need, from Debian packages (by
 * name, and what these packages need). What no package has is a `BuildFailure`. Sorted by name.
 */
export async function libraryClosure(
  needed: readonly NeededLibrary[],
  programs: readonly GuestProgram[],
  packageNames: readonly string[],
  architecture: Architecture,
  report: Report,
): Promise<readonly Library[]> {
  const { debian } = machines[architecture];
  const packages = await resolvePackages(packageNames, debian);
  const directory = await cached(
    'guest-libraries',
    contentKey(packages.map(({ file }) => file)),
    report,
    async (aside) => {
      await downloadPackages(packageNames, report, debian);
      report(`unpacking ${packages.length} packages of libraries`);
      // Each in a directory of its own, so that a file tells of which package it is.
      for (const each of packages) {
        await mkdir(join(aside, each.name));
        await unpackPackages([each], join(aside, each.name));
      }
    },
  );
  const files = await filesByName(directory, packages, architecture);
  for (const program of programs) {
    const owner = packages.find(({ name }) => name === program.package);
    const file = join(directory, program.package, program.path);
    // A package may have it for one architecture and not for another.
    if (owner !== undefined && existsSync(file))
      files.set(basename(program.path), { file, package: owner });
  }
  const found = new Map<string, Library>();
  const waiting: NeededLibrary[] = [
    ...programs.map(({ path, why }) => ({ name: basename(path), why })),
    ...needed,
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { name, why } = next;
    if (found.has(name)) continue;
    const place = files.get(name);
    if (place === undefined)
      throw new BuildFailure(
        `no ${name} for ${architecture} is in Debian's ${packageNames.join(', ')}; ${why}`,
      );
    found.set(name, { name, why, ...place });
    const facts = elfFacts(await readFile(place.file));
    if (facts?.machine !== architecture)
      throw new BuildFailure(`${place.file} is no library for ${architecture}`);
    for (const more of facts.needs)
      waiting.push({ name: more, why: `${name} is linked against it` });
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Where the loader looks: Debian 12 has some packages in /lib still, which is a link to /usr/lib. */
async function filesByName(
  directory: string,
  packages: readonly Package[],
  architecture: Architecture,
): Promise<Map<string, Pick<Library, 'file' | 'package'>>> {
  const { triplet } = machines[architecture];
  const files = new Map<string, Pick<Library, 'file' | 'package'>>();
  for (const each of packages)
    for (const place of [`lib/${triplet}`, `usr/lib/${triplet}`]) {
      const home = join(directory, each.name, place);
      for (const name of await readdir(home).catch(() => []))
        if (name.includes('.so')) files.set(name, { file: join(home, name), package: each });
    }
  return files;
}
