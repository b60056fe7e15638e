import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../../pool/images/manifest.ts';
import { cached, contentKey, sourceKey } from '../image/cache.ts';
import { type Report, run } from '../image/command.ts';
import { machines } from './machines.ts';
import { needProgram } from './squashfs.ts';

const sources = join(import.meta.dirname, 'init');

/** Small, static, and without anything that tells where or when it was compiled. */
const flags = [
  ...['-std=c17', '-Wall', '-Wextra', '-Werror', '-Os', '-static', '-s'],
  ...['-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-ffunction-sections', '-fdata-sections'],
  ...['-Wl,--gc-sections', '-Wl,--build-id=none', '-Wl,-z,noexecstack'],
];

/** Compiles the first process of an image, from the cache or into it; returns its file. */
export function buildInit(architecture: Architecture, report: Report): Promise<string> {
  return buildStatic({ name: 'init', sources, architecture }, report);
}

/** A program of C that needs nothing in its guest but the kernel. */
export interface StaticProgram {
  /** Of the program, and of its folder where its sources are named in messages. */
  readonly name: string;
  /** The folder of its sources: every `.c` is compiled. */
  readonly sources: string;
  readonly architecture: Architecture;
}

/** Compiles a static program, from the cache or into it; returns its file. */
export async function buildStatic(
  { name, sources: folder, architecture }: StaticProgram,
  report: Report,
): Promise<string> {
  const { compiler } = machines[architecture];
  await needProgram(compiler.program, compiler.package);
  const version = await run(compiler.program, ['--version']);
  const key = contentKey([await sourceKey([folder]), architecture, version, ...flags]);
  const build = async (aside: string): Promise<void> => {
    report(`compiling ${name} for ${architecture}`);
    const files = (await readdir(folder)).filter((file) => file.endsWith('.c')).sort();
    const paths = files.map((file) => join(folder, file));
    const prefix = `-ffile-prefix-map=${folder}=${name}`;
    await run(compiler.program, [...flags, prefix, '-o', join(aside, name), ...paths]);
  };
  return join(await cached(`guest-${name}`, key, report, build, 'guest-image'), name);
}
