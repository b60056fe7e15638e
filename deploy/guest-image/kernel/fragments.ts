import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../../../pool/images/manifest.ts';
import type { ServiceName } from '../../../pool/records/host.ts';
import { BuildFailure } from '../../image/command.ts';
import { type Fragment, mergeFragments, type Options, parseFragment } from './configuration.ts';

/** Where the fragments are: `NAME.config` for each architecture, `NAME.ARCHITECTURE.config` for one. */
const directory = join(import.meta.dirname, 'config');

/** Parts that each kernel has; `qemu` is so small that what was tested is what is shipped. */
const always = ['common', 'xen', 'qemu'] as const;

/** What else a service's kernel is made of. */
const parts: Readonly<Record<ServiceName, readonly string[]>> = {
  xenstore: ['xenstore'],
  consensus: ['smp', 'inet', 'disk'],
  network: ['smp', 'inet', 'disk', 'pci', 'backend', 'network'],
  storage: ['smp', 'inet', 'disk', 'pci', 'backend', 'storage'],
  'vm-lifecycle': ['smp', 'inet', 'disk', 'pci', 'backend', 'vm-lifecycle'],
};

/** Which of the files there are belong to a service's kernel, in order. */
export function fragmentFiles(
  there: readonly string[],
  service: ServiceName,
  architecture: Architecture,
): readonly string[] {
  const named = [...always, ...parts[service]].flatMap((part) => [
    `${part}.config`,
    `${part}.${architecture}.config`,
  ]);
  return named.filter((name) => there.includes(name));
}

/** The options of a service's kernel. Fragments that contradict each other are a `BuildFailure`. */
export async function serviceOptions(
  service: ServiceName,
  architecture: Architecture,
): Promise<Options> {
  const fragments: Fragment[] = [];
  for (const name of fragmentFiles(await readdir(directory), service, architecture)) {
    const fragment = parseFragment(name, await readFile(join(directory, name), 'utf8'));
    if (!fragment.ok) throw new BuildFailure(`a kernel's fragment is wrong: ${fragment.error}`);
    fragments.push(fragment.value);
  }
  const merged = mergeFragments(fragments);
  if (!merged.ok)
    throw new BuildFailure(`the fragments of ${service}'s kernel do not fit: ${merged.error}`);
  return merged.value;
}
