import { access, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, contentKey } from './cache.ts';
import { BuildFailure, type Report, run, shellQuote } from './command.ts';
import { machineLock } from './machine-lock.ts';

/** Processors for which packages are taken, as Debian names them. */
export type DebianArchitecture = 'amd64' | 'arm64';

/** A list of packages of another architecture than this machine's is fetched anew after a day. */
const listLifetime = 24 * 60 * 60 * 1000;

/** A Debian package of a resolved set. */
export interface Package {
  readonly name: string;
  /** Its file's name, which carries the version and the architecture. */
  readonly file: string;
  /** Where the file is once it has been downloaded. */
  readonly path: string;
}

/** What is left out of an unpacked system: documentation and translations, which no one reads there. */
const excluded = ['./usr/share/doc', './usr/share/man', './usr/share/locale', './usr/share/info'];

/**
 * Resolves package names to everything they need on a system that has nothing yet, from the apt
 * sources of this machine. Nothing is installed and no root is needed: apt works on a state of its
 * own, in which no package is installed. Recommended packages are left out. Packages for another
 * architecture than this machine's are found without dpkg knowing of it: their lists, too, are kept
 * in the cache.
 */
export async function resolvePackages(
  names: readonly string[],
  architecture?: DebianArchitecture,
): Promise<Package[]> {
  const state = await aptState(architecture);
  const listing = await apt(state, join(state.archives, 'none'), [
    ...['--print-uris', 'install'],
    ...names,
  ]);
  const packages: Package[] = [];
  for (const [, file] of listing.matchAll(/^'[^']+' (\S+\.deb) \d+/gm)) {
    const name = file?.split('_')[0];
    if (file !== undefined && name !== undefined)
      packages.push({ name, file, path: join(state.archives, file) });
  }
  if (packages.length === 0)
    throw new BuildFailure('apt resolved no package; run "apt-get update" as root first');
  return packages.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Downloads the resolved set of `names` into the cache, where the files stay for the next build. */
export async function downloadPackages(
  names: readonly string[],
  report: Report,
  architecture?: DebianArchitecture,
): Promise<void> {
  report(`downloading the Debian packages of ${names.length} names and what they need`);
  const state = await aptState(architecture);
  await apt(state, state.archives, ['--download-only', 'install', ...names]);
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
  for (const { path } of packages) {
    const archive = shellQuote(path);
    const into = `tar -x --keep-directory-symlink --no-same-owner ${exclude} -C ${shellQuote(directory)}`;
    await run('bash', ['-c', `set -o pipefail; dpkg-deb --fsys-tarfile ${archive} | ${into}`]);
  }
}

/** Where apt keeps downloads, and what it must be told for an architecture that is not its own. */
interface AptState {
  readonly archives: string;
  readonly settings: readonly string[];
}

async function aptState(architecture: DebianArchitecture | undefined): Promise<AptState> {
  await access('/usr/bin/apt-get').catch(() => {
    throw new BuildFailure(
      'this machine has no apt-get; the images are built from Debian packages',
    );
  });
  const own = { archives: join(cacheDirectory(), 'packages'), settings: [] };
  if (architecture === undefined) return own;
  const machine = (await run('dpkg', ['--print-architecture'])).trim();
  if (machine === architecture) return own;
  const archives = join(cacheDirectory(), `packages-${architecture}`);
  const lists = join(archives, 'lists');
  const settings = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State::lists=${lists}`,
  ];
  const state = { archives, settings };
  const name = `flotilla-apt-${contentKey([archives])}`;
  const lock = await machineLock(name, () => undefined);
  try {
    await fetchLists(state, lists);
  } finally {
    await lock[Symbol.asyncDispose]();
  }
  return state;
}

/** Fetches the lists of packages of another architecture, unless they are of today. */
async function fetchLists(state: AptState, lists: string): Promise<void> {
  const stamp = join(state.archives, 'lists-fetched');
  const age = await stat(stamp).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
  if (age < listLifetime) return;
  await mkdir(join(lists, 'partial'), { recursive: true });
  await apt(state, state.archives, ['update']);
  // An update that reaches no mirror ends well; what it fetched tells.
  if (!(await readdir(lists)).some((name) => name.includes('_Packages')))
    throw new BuildFailure(
      `apt fetched no packages' list into ${lists}; see that this machine reaches its mirrors`,
    );
  await writeFile(stamp, '');
}

/** Runs apt-get with downloads in `directory`; it lists only what is not yet there. */
async function apt(state: AptState, directory: string, args: readonly string[]): Promise<string> {
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
    ...state.settings,
  ];
  const options = settings.flatMap((setting) => ['-o', setting]);
  return run('apt-get', [...options, '-q', '-y', '--no-install-recommends', ...args]);
}
