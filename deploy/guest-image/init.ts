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
  ...[
    '-Wl,--gc-sections',
    '-Wl,--build-id=none',
    '-Wl,-z,noexecstack',
    `-ffile-prefix-map=${sources}=init`,
  ],
];

/** Compiles the first process of an image, from the cache or into it; returns its file. */
export async function buildInit(architecture: Architecture, report: Report): Promise<string> {
  const { compiler } = machines[architecture];
  await needProgram(compiler.program, compiler.package);
  const version = await run(compiler.program, ['--version']);
  const key = contentKey([
    await sourceKey([sources]),
    architecture,
    version,
    ...flags.slice(0, -1),
  ]);
  const build = async (aside: string): Promise<void> => {
    report(`compiling init for ${architecture}`);
    const files = (await readdir(sources)).filter((name) => name.endsWith('.c')).sort();
    const paths = files.map((name) => join(sources, name));
    await run(compiler.program, [...flags, '-o', join(aside, 'init'), ...paths]);
  };
  return join(await cached('guest-init', key, report, build, 'guest-image'), 'init');
}
