import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';

const names = v.optional(v.record(v.string(), v.string()), {});
const Manifest = v.object({ dependencies: names, optionalDependencies: names });

/**
 * The directories, below `checkout`, of the npm packages that the checkout needs in production:
 * its dependencies and theirs, found as Node finds them, without those for development only.
 * Packages for other machines, which npm did not install, are left out.
 */
export async function productionPackages(checkout: string): Promise<string[]> {
  const found = new Set<string>();
  const visit = async (directory: string): Promise<void> => {
    const manifest = await readManifest(directory);
    if (manifest === undefined) return;
    for (const name of Object.keys({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
    })) {
      const home = await resolve(checkout, directory, name);
      if (home === undefined || found.has(home)) continue;
      found.add(home);
      await visit(home);
    }
  };
  await visit(checkout);
  return [...found].map((path) => path.slice(checkout.length + 1)).sort();
}

/** Looks for a package in the directory's own node_modules, then in those further up. */
async function resolve(checkout: string, from: string, name: string): Promise<string | undefined> {
  for (let directory = from; directory.startsWith(checkout); directory = dirname(directory)) {
    const candidate = join(directory, 'node_modules', name);
    if ((await readManifest(candidate)) !== undefined) return candidate;
  }
  return undefined;
}

async function readManifest(
  directory: string,
): Promise<v.InferOutput<typeof Manifest> | undefined> {
  const text = await readFile(join(directory, 'package.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : v.parse(Manifest, JSON.parse(text));
}
