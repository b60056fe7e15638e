import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { insertionOrder } from '../image/kernel-modules.ts';
import type { GuestModule } from './services.ts';

/** How a kernel gets what a service needs of it. */
export interface KernelNeeds {
  /** Modules that init inserts, in this order. */
  readonly inserted: readonly (GuestModule & { readonly path: string })[];
  /** What is built in is told by the kernel's words what it would be told when it is inserted. */
  readonly words: readonly string[];
}

/** Modules with which init reaches the root. */
const rootModules: readonly GuestModule[] = [{ name: 'loop' }, { name: 'squashfs' }];

/**
 * Which of the wanted modules init has to insert, with those that they need, and which the kernel has
 * built in. `directory` is that of the kernel's modules; null: it has all built in.
 */
export async function kernelNeeds(
  directory: string | null,
  wanted: readonly GuestModule[],
): Promise<KernelNeeds> {
  const all = [...rootModules, ...wanted];
  const builtIn = directory === null ? null : await builtInModules(directory);
  const isBuiltIn = ({ name }: GuestModule) => builtIn?.has(moduleName(name)) ?? true;
  const words = all.filter(isBuiltIn).flatMap(({ name, parameters }) => {
    const told = parameters?.split(' ') ?? [];
    return told.map((word) => `${moduleName(name)}.${word}`);
  });
  if (directory === null) return { inserted: [], words };
  const names = all.filter((each) => !isBuiltIn(each)).map(({ name }) => name);
  const parameters = new Map(all.map((each) => [moduleName(each.name), each.parameters]));
  const order = await insertionOrder(directory, names);
  const inserted = order.map(({ name, path }) => {
    const told = parameters.get(name);
    return told === undefined ? { name, path } : { name, path, parameters: told };
  });
  return { inserted, words };
}

/** What the kernel's build has written down: a path for each. */
async function builtInModules(directory: string): Promise<ReadonlySet<string>> {
  const lines = (await readFile(join(directory, 'modules.builtin'), 'utf8')).split('\n');
  return new Set(lines.map((line) => moduleName(basename(line, '.ko'))));
}

/** As the kernel writes it. */
function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}
