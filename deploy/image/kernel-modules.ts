import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BuildFailure } from './command.ts';

/** A kernel module's file, by its name as the kernel writes it (with underscores). */
export interface KernelModule {
  readonly name: string;
  readonly path: string;
}

/**
 * The modules that the wanted ones need, in an order in which they can be inserted one by one.
 * Needs come from each module's own `depends=` record, so no depmod is needed. A wanted module
 * that is not among the files, such as one that is built into the kernel, is a `BuildFailure`.
 */
export async function insertionOrder(
  modulesDirectory: string,
  wanted: readonly string[],
): Promise<KernelModule[]> {
  const files = await readdir(modulesDirectory, { recursive: true });
  const paths = new Map<string, string>();
  for (const file of files.filter((file) => file.endsWith('.ko')))
    paths.set(moduleName(basename(file, '.ko')), join(modulesDirectory, file));
  const ordered = new Map<string, KernelModule>();
  const visit = async (name: string): Promise<void> => {
    if (ordered.has(name)) return;
    const path = paths.get(name);
    if (path === undefined)
      throw new BuildFailure(`the kernel in ${modulesDirectory} has no module ${name}`);
    for (const need of dependencies(await readFile(path))) await visit(need);
    ordered.set(name, { name, path });
  };
  for (const name of wanted) await visit(moduleName(name));
  return [...ordered.values()];
}

function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

/** The `depends=` record of a module's .modinfo section, which is a list of NUL-ended texts. */
function dependencies(module: Buffer): string[] {
  const key = '\0depends=';
  const start = module.indexOf(key, 0, 'latin1');
  if (start < 0) return [];
  const end = module.indexOf(0, start + key.length);
  const names = module.toString('latin1', start + key.length, end);
  return names
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}
