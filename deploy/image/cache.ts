import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Report } from './command.ts';
import { machineLock } from './machine-lock.ts';

/** Entries of one kind that stay when newer ones are built, and how long any entry stays at least. */
const entriesKept = 3;
const entryLifetime = 24 * 60 * 60 * 1000;

/** Where the lab keeps what it built: `$XDG_CACHE_HOME/flotilla/xen-lab`, by default in ~/.cache. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'flotilla', 'xen-lab');
}

/** A digest of texts: equal for equal lists, and short enough for a file's name. */
export function contentKey(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

/** A digest of the builder's own sources: every file below the directories but the tests. */
export async function sourceKey(directories: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const directory of directories) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'));
    const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
    for (const path of paths)
      parts.push(path.slice(directory.length), await readFile(path, 'latin1'));
  }
  return contentKey(parts);
}

/**
 * Returns the directory `KIND-KEY` of the cache, building it first when it is not there. The build
 * writes into a directory aside, which is renamed when it is complete: what has the name is whole.
 * Of several builders at once, in any process, one builds and the others wait for it: all of one
 * `queue`. Builds that take long and download nothing have a queue of their own.
 */
export async function cached(
  kind: string,
  key: string,
  report: Report,
  build: (aside: string) => Promise<void>,
  queue = 'xen-lab',
): Promise<string> {
  const root = cacheDirectory();
  const entry = join(root, `${kind}-${key}`);
  if (await touch(entry)) return entry;
  await mkdir(root, { recursive: true });
  const lock = await machineLock(`flotilla-${queue}-${contentKey([root])}`, () =>
    report('another process builds into the same cache; waiting for it'),
  );
  try {
    if (await touch(entry)) return entry;
    await buildAside(entry, build);
    await prune(root, kind);
    return entry;
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

async function buildAside(entry: string, build: (aside: string) => Promise<void>): Promise<void> {
  const aside = `${entry}.aside`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside);
  try {
    await build(aside);
    await rename(aside, entry);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Marks an entry as used just now; false when there is none. */
async function touch(entry: string): Promise<boolean> {
  const now = new Date();
  return utimes(entry, now, now).then(
    () => true,
    () => false,
  );
}

async function prune(root: string, kind: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => /^[a-z0-9_-]+-[0-9a-f]{16}$/.test(name));
  const dated: { path: string; used: number }[] = [];
  for (const name of names.filter((name) => name.slice(0, -17) === kind)) {
    const path = join(root, name);
    dated.push({ path, used: (await stat(path)).mtimeMs });
  }
  dated.sort((a, b) => b.used - a.used);
  for (const { path, used } of dated.slice(entriesKept))
    if (Date.now() - used > entryLifetime) await rm(path, { recursive: true, force: true });
}
