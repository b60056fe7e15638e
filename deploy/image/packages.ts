import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from './cache.ts';
import { BuildFailure, type Report, run, shellQuote } from './command.ts';

/** A Debian package of a resolved set. */
export interface Package {
  readonly name: string;
  /** Its file's name, which carries the version and the architecture. */
  readonly file: string;
}

/** What is left out of an unpacked system: documentation and translations, which no one reads there. */
const excluded = ['./usr/share/doc', './usr/share/man', './usr/share/locale', './usr/share/info'];

/**
 * Resolves package names to everything they need on a system that has nothing yet, from the apt
 * sources of this machine. Nothing is installed and no root is needed: apt works on a state of its
 * own, in which no package is installed. Recommended packages are left out.
 */
export async function resolvePackages(names: readonly string[]): Promise<Package[]> {
  const listing = await apt(join(archives(), 'none'), ['--print-uris', 'install', ...names]);
  const packages: Package[] = [];
  for (const [, file] of listing.matchAll(/^'[^']+' (\S+\.deb) \d+/gm)) {
    const name = file?.split('_')[0];
    if (file !== undefined && name !== undefined) packages.push({ name, file });
  }
  if (packages.length === 0)
    throw new BuildFailure('apt resolved no package; run "apt-get update" as root first');
  return packages.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Downloads the resolved set of `names` into the cache, where the files stay for the next build. */
export async function downloadPackages(names: readonly string[], report: Report): Promise<void> {
  report(`downloading the Debian packages of ${names.length} names and what they need`);
  await apt(archives(), ['--download-only', 'install', ...names]);
}

/**
 * Unpacks downloaded packages over each other into a directory whose /bin, /sbin and /lib are
 * links into /usr, as Debian 12 wants them. No maintainer script runs: what those would set up,
 * the caller writes.
 */
export async function unpackPackages(
  packages: readonly Package[],
  directory: string,
): Promise<void> {
  const exclude = excluded.map((path) => `--exclude=${path}`).join(' ');
  for (const { file } of packages) {
    const archive = shellQuote(join(archives(), file));
    const into = `tar -x --keep-directory-symlink --no-same-owner ${exclude} -C ${shellQuote(directory)}`;
    await run('bash', ['-c', `set -o pipefail; dpkg-deb --fsys-tarfile ${archive} | ${into}`]);
  }
}

function archives(): string {
  return join(cacheDirectory(), 'packages');
}

/** Runs apt-get with downloads in `directory`; it lists only what is not yet there. */
async function apt(directory: string, args: readonly string[]): Promise<string> {
  await access('/usr/bin/apt-get').catch(() => {
    throw new BuildFailure(
      'this machine has no apt-get; the images are built from Debian packages',
    );
  });
  await mkdir(join(directory, 'partial'), { recursive: true });
  const status = join(directory, 'none-installed');
  await writeFile(status, '');
  const settings = [
    `Dir::State::status=${status}`,
    `Dir::Cache=${directory}`,
    `Dir::Cache::archives=${directory}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=root',
    'APT::Get::List-Cleanup=0',
  ];
  const options = settings.flatMap((setting) => ['-o', setting]);
  return run('apt-get', [...options, '-q', '-y', '--no-install-recommends', ...args]);
}
