import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { cacheDirectory, cached, contentKey, sourceKey } from './cache.ts';

const quiet = (): void => undefined;

test.before('a cache of its own', async () => {
  process.env.XDG_CACHE_HOME = await mkdtemp(join(tmpdir(), 'cache-test-'));
});

test.after.always('nothing is left', async () => {
  await rm(process.env.XDG_CACHE_HOME ?? '', { recursive: true, force: true });
});

test('the cache is where XDG_CACHE_HOME says, else in the home directory', (t) => {
  t.is(cacheDirectory({ XDG_CACHE_HOME: '/c' }), '/c/flotilla/xen-lab');
  t.regex(cacheDirectory({}), /\/\.cache\/flotilla\/xen-lab$/);
});

test('keys differ where contents differ, also in how they are divided', (t) => {
  t.is(contentKey(['a', 'b']), contentKey(['a', 'b']));
  t.not(contentKey(['ab', '']), contentKey(['a', 'b']));
  t.regex(contentKey([]), /^[0-9a-f]{16}$/);
});

test('a source key follows the names and contents of files, not of tests', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sources-'));
  t.teardown(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'a.ts'), 'one');
  const first = await sourceKey([directory]);
  await writeFile(join(directory, 'a.test.ts'), 'a test');
  t.is(await sourceKey([directory]), first);
  await writeFile(join(directory, 'a.ts'), 'two');
  t.not(await sourceKey([directory]), first);
});

test('of many builders of the same, one builds and all get it', async (t) => {
  let builds = 0;
  const build = async (aside: string): Promise<void> => {
    builds += 1;
    await writeFile(join(aside, 'result'), 'built');
  };
  const key = contentKey(['many']);
  const all = await Promise.all([1, 2, 3].map(() => cached('thing', key, quiet, build)));
  t.is(builds, 1);
  for (const directory of all) t.is(await readFile(join(directory, 'result'), 'utf8'), 'built');
});

test('a build that fails leaves nothing, and the next one starts afresh', async (t) => {
  const key = contentKey(['fails']);
  const failing = cached('thing', key, quiet, async (aside) => {
    await writeFile(join(aside, 'half'), '');
    throw new Error('the disk is full');
  });
  await t.throwsAsync(failing, { message: 'the disk is full' });
  const directory = await cached('thing', key, quiet, (aside) =>
    writeFile(join(aside, 'whole'), ''),
  );
  t.deepEqual(await readdir(directory), ['whole']);
});

test('what a killed builder left aside does not get into the next build', async (t) => {
  const key = contentKey(['killed']);
  await mkdir(join(cacheDirectory(), `thing-${key}.aside`), { recursive: true });
  await writeFile(join(cacheDirectory(), `thing-${key}.aside`, 'remnant'), '');
  const directory = await cached('thing', key, quiet, (aside) =>
    writeFile(join(aside, 'whole'), ''),
  );
  t.deepEqual(await readdir(directory), ['whole']);
});

test('old entries go when newer ones are built; recent and other ones stay', async (t) => {
  const root = cacheDirectory();
  const nothing = async (): Promise<void> => undefined;
  const names: string[] = [];
  for (const name of ['1', '2', '3', '4', '5']) {
    const entry = await cached('old', contentKey([name]), quiet, nothing);
    const longAgo = new Date(Date.now() - (10 - Number(name)) * 7 * 24 * 3_600_000);
    await utimes(entry, longAgo, longAgo);
    names.push(entry.slice(root.length + 1));
  }
  await cached('older', contentKey(['other kind']), quiet, nothing);
  const newest = await cached('old', contentKey(['6']), quiet, nothing);
  const left = (await readdir(root)).filter((name) => name.startsWith('old-'));
  t.deepEqual(left.sort(), [...names.slice(3), newest.slice(root.length + 1)].sort());
});
