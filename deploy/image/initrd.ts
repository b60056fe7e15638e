import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ArchiveEntry, cpioArchive } from './cpio.ts';
import type { KernelModule } from './kernel-modules.ts';

/**
 * A compressed initial file system: a static busybox, an init program, and kernel modules in
 * /lib, whose order of insertion is in the file /modules.
 */
export async function buildInitrd(parts: {
  readonly busybox: string;
  readonly init: string;
  readonly modules: readonly KernelModule[];
  readonly entries?: readonly ArchiveEntry[];
}): Promise<Buffer> {
  const names = parts.modules.map(({ name }) => `${name}\n`).join('');
  const entries: ArchiveEntry[] = [
    ...['bin', 'dev', 'lib', 'proc', 'root', 'sbin', 'sys'].map(
      (path): ArchiveEntry => ({ path, kind: 'directory' }),
    ),
    { path: 'dev/console', kind: 'device', major: 5, minor: 1 },
    { path: 'bin/busybox', kind: 'file', content: await readFile(parts.busybox), mode: 0o755 },
    { path: 'init', kind: 'file', content: await readFile(parts.init), mode: 0o755 },
    { path: 'modules', kind: 'file', content: Buffer.from(names), mode: 0o644 },
    ...(parts.entries ?? []),
  ];
  for (const { name, path } of parts.modules)
    entries.push({
      path: join('lib', `${name}.ko`),
      kind: 'file',
      content: await readFile(path),
      mode: 0o644,
    });
  return gzipSync(cpioArchive(entries));
}
