import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { present } from '../../base/assert.ts';
import { cached, contentKey } from '../image/cache.ts';
import { BuildFailure, type Report, run } from '../image/command.ts';
import { npmPackage } from './linked-modules.ts';
import { needProgram } from './squashfs.ts';

/** A package of npm's on this machine, to the last byte the one that the checkout pins. */
export interface PinnedPackage {
  readonly directory: string;
  readonly version: string;
}

/** What package-lock.json says of a package (npm's documentation of it, lockfileVersion 3). */
const LockSchema = v.object({
  packages: v.record(
    v.string(),
    v.object({ version: v.optional(v.string()), integrity: v.optional(v.string()) }),
  ),
});

/** What is pinned: a version, and the digest of the archive that npm hands out for it. */
interface Pin {
  readonly version: string;
  /** Subresource Integrity (W3C): the name of a hash, and the digest in base64. */
  readonly integrity: string;
}

/**
 * A package that the checkout pins, wherever it runs: what is installed, or, since npm installs what is for
 * this machine alone, what npm fetches into the cache. That is compared with the checkout's
 * package-lock.json; other bytes are a `BuildFailure`.
 */
export async function pinnedPackage(
  checkout: string,
  name: string,
  report: Report,
): Promise<PinnedPackage> {
  const home = join('node_modules', name);
  const isInstalled = await access(join(checkout, home)).then(
    () => true,
    () => false,
  );
  if (isInstalled) {
    const { version } = await npmPackage(checkout, home);
    return { directory: join(checkout, home), version };
  }
  const lock = await readFile(join(checkout, 'package-lock.json'), 'utf8').catch(() => {
    throw new BuildFailure(
      `${checkout} has no package-lock.json, which says which ${name} to take`,
    );
  });
  const pin = pinOf(lock, name);
  const key = contentKey([name, pin.version, pin.integrity]);
  const fetch = (aside: string) => fetchPackage({ name, ...pin }, aside, report);
  const directory = await cached('npm-package', key, report, fetch, 'guest-image');
  return { directory: join(directory, 'package'), version: pin.version };
}

/** What a package-lock.json pins a package to. One that it does not pin is a `BuildFailure`. */
export function pinOf(lock: string, name: string): Pin {
  const { version, integrity } =
    v.parse(LockSchema, JSON.parse(lock)).packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined)
    throw new BuildFailure(`package-lock.json does not pin ${name}; run: npm install`);
  return { version, integrity };
}

/** Asks npm for the archive, compares it, and unpacks it: it has one folder, `package`. */
async function fetchPackage(
  { name, version, integrity }: Pin & { readonly name: string },
  aside: string,
  report: Report,
): Promise<void> {
  await needProgram('npm', 'npm');
  report(`fetching ${name} ${version}`);
  const download = join(aside, 'download');
  await mkdir(download);
  const words = ['pack', `${name}@${version}`, '--ignore-scripts', '--silent'];
  await run('npm', [...words, '--pack-destination', download]);
  const [file] = await readdir(download);
  const archive = join(download, present(file, 'npm pack writes an archive'));
  const found = integrityOf(await readFile(archive), integrity);
  if (found !== integrity)
    throw new BuildFailure(
      `npm fetched another ${name} ${version} than the one that package-lock.json names: ${found}, not ${integrity}; see which registry npm asks`,
    );
  await run('tar', ['-x', '--no-same-owner', '-f', archive, '-C', aside]);
  await rm(download, { recursive: true });
}

/** The digest of bytes, by the hash of which `like` is a digest. */
export function integrityOf(bytes: Uint8Array, like: string): string {
  const hash = like.slice(0, like.indexOf('-'));
  if (hash !== 'sha512')
    throw new BuildFailure(`package-lock.json has a digest that is not SHA-512: ${like}`);
  return `${hash}-${createHash(hash).update(bytes).digest('base64')}`;
}
