import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';
import type { LayerFile } from './layers.ts';

/**
 * Where the compiled code lies, in the checkout and on a host: at the same place relative to the
 * sources, because that is how Node finds what belongs to a file (NODE_COMPILE_CACHE_PORTABLE).
 */
const place = '.cache/compile';

/** What loading one subcommand may take. */
const timeout = milliseconds(60_000);

/**
 * Compiles, on this machine, what each subcommand of `flotilla` loads, and returns Node's compile
 * cache as files of a layer. An emulated host loads a service in half the time with it. Entries
 * are checked against the sources' contents when they are used: what is stale is ignored, and a
 * subcommand that does not load here is compiled on the host.
 */
export async function compiledCode(checkout: string): Promise<LayerFile[]> {
  const home = join(checkout, place);
  await mkdir(home, { recursive: true });
  const flotilla = (...args: string[]) => {
    const settings = [`NODE_COMPILE_CACHE=${home}`, 'NODE_COMPILE_CACHE_PORTABLE=1'];
    const command = [...settings, process.execPath, join(checkout, 'bin/flotilla.js'), ...args];
    return runCommand('env', command, timeout);
  };
  const help = await flotilla('--help');
  const listing = help.ok ? help.value.slice(help.value.indexOf('Commands:')) : '';
  for (const [, subcommand] of listing.matchAll(/^ {2}([a-z][a-z-]*) /gm))
    if (subcommand !== undefined) await flotilla(subcommand, '--help');
  return readCache(home);
}

/** The entries of the Node that runs this; it is the one that hosts run. */
async function readCache(home: string): Promise<LayerFile[]> {
  const files: LayerFile[] = [];
  for (const version of await readdir(home)) {
    if (!version.startsWith(process.version)) continue;
    for (const name of (await readdir(join(home, version))).sort()) {
      const content = await readFile(join(home, version, name));
      files.push({ path: join(place, version, name), content, executable: false });
    }
  }
  return files;
}
