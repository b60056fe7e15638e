import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';
import { cached, contentKey } from '../image/cache.ts';
import type { Report } from '../image/command.ts';
import { writeDisk } from '../image/disk.ts';
import { productionPackages } from './npm-closure.ts';

/** The parts of a checkout that run on a host; everything else stays behind. */
export const sourceRoots = [
  'base',
  'bin',
  'cli',
  'consensus',
  'hypervisor',
  'linux',
  'pool',
  'proto',
  'services',
  'main.ts',
  'package.json',
];

/** What a layer's disk can hold. */
const layerSize = { size: 512 * 2 ** 20, files: 16_384 };

/** Parts of npm packages that no program on a host reads. */
const unusedParts = /\/node-linux-[a-z0-9]+\/(include|share|CHANGELOG\.md)(\/|$)|\.d\.ts$|\.map$/;

/** A file of a layer: where it goes, below the layer's root, and what is in it. */
export interface LayerFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

/**
 * Builds the read-only disk with Node and the npm packages that Flotilla needs in production.
 * It changes with the packages only: its key is the lock file.
 */
export async function buildRuntimeLayer(checkout: string, report: Report): Promise<string> {
  const lock = await readFile(join(checkout, 'node_modules/.package-lock.json'), 'utf8');
  const key = contentKey(['runtime', lock, await readFile(import.meta.filename, 'utf8')]);
  const directory = await cached('runtime', key, report, async (aside) => {
    report('writing the layer with Node and the npm packages');
    const tree = join(aside, 'tree');
    for (const path of await productionPackages(checkout)) {
      const nested = join(checkout, path, 'node_modules');
      const filter = (file: string) => !file.startsWith(nested) && !unusedParts.test(file);
      await cp(join(checkout, path), join(tree, path), { recursive: true, filter });
    }
    await writeDisk(tree, join(aside, 'runtime.ext4'), layerSize);
    await rm(tree, { recursive: true });
  });
  return join(directory, 'runtime.ext4');
}

/** Builds the read-only disk with the checkout's sources as they are now, and further files. */
export async function buildSourceLayer(
  files: readonly LayerFile[],
  report: Report,
): Promise<string> {
  const parts = files.flatMap(({ path, content }) => [path, content.toString('latin1')]);
  const key = contentKey(['sources', ...parts]);
  const directory = await cached('sources', key, report, async (aside) => {
    report(`writing the layer with the checkout's sources, ${files.length} files`);
    const tree = join(aside, 'tree');
    for (const file of files) {
      await mkdir(dirname(join(tree, file.path)), { recursive: true });
      await writeFile(join(tree, file.path), file.content, {
        mode: file.executable ? 0o755 : 0o644,
      });
    }
    await writeDisk(tree, join(aside, 'sources.ext4'), layerSize);
    await rm(tree, { recursive: true });
  });
  return join(directory, 'sources.ext4');
}

/** Reads what runs on a host from a checkout; tests stay behind. */
export async function readSources(checkout: string): Promise<LayerFile[]> {
  const files: LayerFile[] = [];
  for (const root of sourceRoots) {
    for (const path of await filesBelow(checkout, root)) {
      if (path.endsWith('.test.ts')) continue;
      const content = await readFile(join(checkout, path));
      files.push({ path, content, executable: root === 'bin' });
    }
  }
  return files;
}

/**
 * A TypeScript program as a layer file of plain JavaScript, `NAME.mjs` beside its source: it
 * starts without Node having to strip its types first.
 */
export async function strippedProgram(checkout: string, path: string): Promise<LayerFile> {
  const source = await readFile(join(checkout, path), 'utf8');
  const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'node24' });
  const content = Buffer.from(code);
  return { path: path.replace(/\.ts$/, '.mjs'), content, executable: false };
}

async function filesBelow(checkout: string, root: string): Promise<string[]> {
  const home = join(checkout, root);
  const entries = await readdir(home, { recursive: true, withFileTypes: true }).catch(() => []);
  if (entries.length === 0) {
    const single = await readFile(home).then(
      () => true,
      () => false,
    );
    return single ? [root] : [];
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(checkout.length + 1))
    .sort();
}
