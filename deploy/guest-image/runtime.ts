import { chmod, copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { present } from '../../base/assert.ts';
import type { Architecture } from '../../pool/images/manifest.ts';
import { cached, contentKey } from '../image/cache.ts';
import { BuildFailure, type Report, run } from '../image/command.ts';
import type { SystemPart } from './bill-of-materials.ts';
import { elfFacts } from './elf.ts';
import { type Library, libraryClosure, type NeededLibrary } from './libraries.ts';
import { machines } from './machines.ts';
import type { NodeBinary } from './node-binary.ts';
import type { GuestService } from './services.ts';
import { needProgram, packSquashfs } from './squashfs.ts';

/** Debian's packages of the libraries that Node is linked against. */
const nodeLibraries = ['libc6', 'libstdc++6', 'libgcc-s1'];

/** Node and all that it is linked against, as the file system that becomes /usr. */
export interface Runtime {
  /** A squashfs. */
  readonly image: string;
  readonly parts: readonly SystemPart[];
}

/**
 * Packs Node, stripped, with the shared libraries that it needs, those that a service loads by name, and
 * the programs that it runs: nothing else of Debian's packages. It is taken from the cache, or built into it.
 */
export async function buildRuntime(
  node: NodeBinary,
  service: Pick<GuestService, 'libraries' | 'programs'>,
  architecture: Architecture,
  report: Report,
): Promise<Runtime> {
  const facts = elfFacts(await readFile(node.path));
  if (facts?.machine !== architecture || facts.interpreter === null)
    throw new BuildFailure(`${node.path} is no program for ${architecture}`);
  const loader = facts.interpreter;
  const needed: NeededLibrary[] = [
    { name: basename(loader), why: 'it loads programs' },
    ...service.libraries.map(({ name }) => ({ name, why: 'the service loads it' })),
    ...facts.needs.map((name) => ({ name, why: 'Node is linked against it' })),
  ];
  const owners = [...service.libraries, ...service.programs].map((each) => each.package);
  const packages = [...new Set([...nodeLibraries, ...owners])];
  const { programs } = service;
  const libraries = await libraryClosure(needed, programs, packages, architecture, report);
  const builders = ['runtime.ts', 'squashfs.ts'].map((name) => join(import.meta.dirname, name));
  const key = contentKey([
    ...(await Promise.all(builders.map((path) => readFile(path, 'utf8')))),
    ...[architecture, node.version],
    ...libraries.flatMap((each) => [each.name, each.package.file]),
  ]);
  const place = ({ name }: Library): string => {
    // The loader is named by a path that is in each program; links make /lib and /lib64 parts of /usr.
    if (name === basename(loader)) return loader.slice(1);
    const program = programs.find(({ path }) => basename(path) === name)?.path;
    if (program?.startsWith('usr/lib/') === true) return program.slice('usr/'.length);
    if (program !== undefined) return `sbin/${name}`;
    return `lib/${machines[architecture].triplet}/${name}`;
  };
  const build = async (aside: string): Promise<void> => {
    report(`packing Node ${node.version} and ${libraries.length} libraries`);
    const { strip } = machines[architecture];
    await needProgram(strip.program, strip.package);
    const tree = join(aside, 'usr');
    await mkdir(join(tree, 'bin'), { recursive: true });
    await run(strip.program, ['-s', '-o', join(tree, 'bin/node'), node.path]);
    await chmod(join(tree, 'bin/node'), 0o755);
    for (const library of libraries) {
      const path = join(tree, place(library));
      await mkdir(dirname(path), { recursive: true });
      await copyFile(library.file, path);
      await chmod(path, 0o755);
    }
    await packSquashfs(tree, join(aside, 'runtime.squashfs'));
    await rm(tree, { recursive: true });
  };
  const directory = await cached('guest-runtime', key, report, build, 'guest-image');
  const nodePart: SystemPart = {
    name: 'node',
    version: node.version,
    purl: `pkg:npm/${machines[architecture].nodePackage}@${node.version}`,
    type: 'platform',
    files: [{ path: '/usr/bin/node', why: 'it runs the service' }],
  };
  const byPackage = Map.groupBy(libraries, (library) => library.package.file);
  const debianParts = [...byPackage].sort().map(([file, of]): SystemPart => {
    const files = of.map((library) => ({ path: `/usr/${place(library)}`, why: library.why }));
    return { ...debianPackage(file), type: 'library', files };
  });
  return { image: join(directory, 'runtime.squashfs'), parts: [nodePart, ...debianParts] };
}

/** A package as its file's name describes it: `libc6_2.36-9%2bdeb12u14_amd64.deb`. */
export function debianPackage(file: string): Pick<SystemPart, 'name' | 'version' | 'purl'> {
  const [, name, version, architecture] = present(
    /^([^_]+)_([^_]+)_([^_]+)\.deb$/.exec(file) ?? undefined,
    `the name of a Debian package: ${file}`,
  ).map(decodeURIComponent);
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version ?? '')}?arch=${architecture}`;
  return { name: name ?? '', version: version ?? '', purl };
}
