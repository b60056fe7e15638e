import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { keyPem, signingKey, writeImage } from '../../test/fixtures/images.ts';
import { isGolden } from '../testing/golden.ts';
import { goldenSession } from '../testing/golden-session.ts';
import { transcript } from '../testing/run.ts';

async function directoryOf(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-image-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

/** A directory with an image that nobody signed, and the keys of two people. */
async function scene(t: ExecutionContext): Promise<string> {
  const directory = await directoryOf(t);
  await writeImage(join(directory, 'image'));
  for (const name of ['mine', 'other']) {
    await writeFile(join(directory, `${name}.pem`), keyPem(name), { mode: 0o600 });
    await writeFile(join(directory, `${name}.pub.pem`), signingKey(name).publicKey.pem);
  }
  return directory;
}

async function lines(directory: string, ...commands: readonly string[]): Promise<string> {
  const seen: string[] = [];
  for (const line of commands) seen.push(await transcript(line.split(' '), { directory }));
  return seen.join('\n\n').replaceAll(directory, '/images');
}

test('an image is signed and verified; who signed it, and with which files, is told', async (t) => {
  const directory = await scene(t);
  isGolden(
    t,
    'image-sign',
    await lines(
      directory,
      'image verify image --key mine.pub.pem',
      'image sign image --key mine.pem',
      'image sign image --key mine.pem --json',
      'image verify image --key mine.pub.pem',
      'image verify image --key mine.pub.pem --json',
      'image verify image --key other.pub.pem',
    ),
  );
});

test('one bit of a file changed, a file missing, a manifest changed: each is told, and how', async (t) => {
  const directory = await scene(t);
  const seen = [await lines(directory, 'image sign image --key mine.pem')];
  const kernel = join(directory, 'image', 'vmlinuz');
  const content = await readFile(kernel);
  content[3] = (content[3] ?? 0) ^ 1;
  await writeFile(kernel, content);
  seen.push(await lines(directory, 'image verify image --key mine.pub.pem'));
  await rm(join(directory, 'image', 'initramfs.img'));
  await writeFile(join(directory, 'image', 'sbom.cdx.json'), '{"longer": true}\n');
  seen.push(
    await lines(
      directory,
      'image verify image --key mine.pub.pem',
      'image verify image --key mine.pub.pem --json',
      'image sign image --key mine.pem',
    ),
  );
  const manifest = join(directory, 'image', 'manifest.json');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace('loglevel=1', 'loglevel=9'));
  seen.push(await lines(directory, 'image verify image --key mine.pub.pem'));
  await writeFile(manifest, text.replace('"kernel"', '"kernels"'));
  seen.push(await lines(directory, 'image verify image --key mine.pub.pem'));
  isGolden(t, 'image-changed', seen.join('\n\n'));
});

test('files that are no keys, images or signatures are refused with what to do', async (t) => {
  const directory = await scene(t);
  await writeFile(join(directory, 'image', 'manifest.json.sig'), 'scribble');
  isGolden(
    t,
    'image-refused',
    await lines(
      directory,
      'image verify image --key mine.pub.pem',
      'image verify image --key mine.pem',
      'image verify image --key none.pem',
      'image verify nowhere --key mine.pub.pem',
      'image sign image --key mine.pub.pem',
      'image sign image --key image/vmlinuz',
      'image sign image',
      'image keygen --out image/vmlinuz/keys',
    ),
  );
});

test('a pair of keys is made once: the private half for the owner alone', async (t) => {
  const directory = await scene(t);
  const text = await lines(
    directory,
    'image keygen --out keys',
    'image sign image --key keys/image-key.pem',
    'image verify image --key keys/image-key.pub.pem',
    'image keygen --out keys',
    'image keygen --out keys --json',
  );
  t.is((await stat(join(directory, 'keys', 'image-key.pem'))).mode & 0o777, 0o600);
  const id = /^key +([0-9a-f]{64})$/m.exec(text)?.[1] ?? 'no key';
  isGolden(t, 'image-keygen', text.replaceAll(id, 'KEY'));
});

test('a pool trusts a key, and knows the images that it signed, until it is told otherwise', async (t) => {
  const directory = await scene(t);
  await writeImage(join(directory, 'image'), { key: signingKey('mine') });
  await goldenSession(
    t,
    'image-pool',
    [
      'image list',
      'image key list',
      'image publish image',
      'image key trust mine.pem',
      'image key trust mine.pub.pem --name builds --dry-run',
      'image key trust mine.pub.pem --name builds',
      'image key list',
      'image key list --json',
      'image publish image --dry-run',
      'image publish image',
      'image publish image',
      'image list',
      'image list --json',
      'image key distrust builds',
      'image key distrust builds --dry-run',
      'image key distrust a8192b99 --yes',
      'image list',
      'image delete fbb3 --yes',
      'image delete fbb3e98c --dry-run',
      'image delete fbb3e98c --yes --json',
      'image list',
    ],
    () => {},
    { directory },
  );
});

test('the help of the commands for images is what it was', async (t) =>
  isGolden(
    t,
    'image-help',
    await lines(
      '/',
      'image --help',
      'image build --help',
      'image keygen --help',
      'image sign --help',
      'image verify --help',
      'image publish --help',
      'image list --help',
      'image delete --help',
      'image key --help',
      'image key trust --help',
      'image key distrust --help',
    ),
  ));
