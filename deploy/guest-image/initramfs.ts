import { readFile } from 'node:fs/promises';
import { type ArchiveEntry, cpioArchive } from '../image/cpio.ts';
import type { KernelNeeds } from './kernel-needs.ts';
import { modulePath, planText } from './plan.ts';
import type { GuestService } from './services.ts';

/** What the initial file system is made of: paths of files, all complete. */
export interface InitramfsParts {
  readonly service: GuestService;
  readonly hasConfiguration: boolean;
  readonly calls: readonly number[];
  readonly modules: KernelNeeds['inserted'];
  readonly init: string;
  readonly root: string;
  readonly runtime: string;
}

/**
 * The initial file system: init, its plan, the kernel's modules, and the two compressed file systems of
 * which the guest's root is made. It is not compressed as a whole: nearly all of it is already.
 */
export async function buildInitramfs(parts: InitramfsParts): Promise<Buffer> {
  const { service, hasConfiguration, modules, calls } = parts;
  const entries: ArchiveEntry[] = [
    ...['dev', 'proc', 'root', 'modules'].map((path) => ({ path, kind: 'directory' }) as const),
    { path: 'dev/console', kind: 'device', major: 5, minor: 1 },
    { path: 'init', kind: 'file', content: await readFile(parts.init), mode: 0o755 },
    {
      path: 'plan',
      kind: 'file',
      content: Buffer.from(planText({ service, modules, hasConfiguration, calls })),
      mode: 0o644,
    },
  ];
  for (const { name, path } of modules) {
    const content = await readFile(path);
    entries.push({ path: modulePath(name).slice(1), kind: 'file', content, mode: 0o644 });
  }
  for (const name of ['root', 'runtime'] as const) {
    const content = await readFile(parts[name]);
    entries.push({ path: `${name}.squashfs`, kind: 'file', content, mode: 0o644 });
  }
  return cpioArchive(entries);
}
