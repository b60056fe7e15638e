import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { sha256Of } from '../../../../pool/images/digest.ts';
import { pretendManifest, signingKey, writeImage } from '../../../../test/fixtures/images.ts';
import { admitImage, readTrustedKeys } from './image.ts';

const key = signingKey('builder');
const trusted = [key.publicKey];

/** A signed image of the storage service in a directory of its own, and a place for the copies. */
async function withImage(
  work: (image: string, own: string) => Promise<void>,
  signer = key,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'image-'));
  const image = join(directory, 'image');
  await writeImage(image, { manifest: pretendManifest({ service: 'storage' }), key: signer });
  await work(image, join(directory, 'own'));
  await rm(directory, { recursive: true });
}

async function refusal(image: string, own: string, service = 'storage'): Promise<string> {
  const admitted = await admitImage(image, service, trusted, own);
  return admitted.ok ? 'was admitted' : admitted.error;
}

test('what is admitted are copies that only this user can read, until they are discarded', async (t) => {
  await withImage(async (image, own) => {
    const admitted = await admitImage(image, 'storage', trusted, own);
    if (!admitted.ok) return t.fail(admitted.error);
    const { kernel, initramfs, manifest, keyId, discard } = admitted.value;
    // Whoever changes the image now changes nothing of what boots.
    await writeFile(join(image, manifest.kernel.file), 'another kernel');
    t.is(sha256Of(await readFile(kernel)), manifest.kernel.sha256);
    t.is(sha256Of(await readFile(initramfs)), manifest.initramfs.sha256);
    t.is(keyId, key.publicKey.id);
    t.is((await stat(own)).mode & 0o777, 0o700);
    await discard();
    await t.throwsAsync(stat(own), { code: 'ENOENT' });
    t.pass();
  });
});

test('one bit changed in a kernel is told with the file and both digests, and nothing is left', async (t) => {
  await withImage(async (image, own) => {
    const file = join(image, 'vmlinuz');
    const content = await readFile(file);
    const expected = sha256Of(content);
    content.writeUInt8(content.readUInt8(3) ^ 1, 3);
    await writeFile(file, content);
    const refused = await refusal(image, own);
    t.true(refused.startsWith(file), refused);
    t.true(refused.includes(`expected SHA-256 ${expected}, found ${sha256Of(content)}`), refused);
    await t.throwsAsync(readdir(own), { code: 'ENOENT' });
  });
});

test('a file that is longer than it should be, or missing, is told', async (t) => {
  await withImage(async (image, own) => {
    await appendFile(join(image, 'initramfs.img'), 'more');
    t.regex(await refusal(image, own), /initramfs\.img \(initramfs\): expected .* bytes, found/);
    await rm(join(image, 'initramfs.img'));
    t.regex(await refusal(image, own), /initramfs\.img \(initramfs\) is missing; expected/);
  });
});

test('a manifest that was changed, or that nobody signed whom we trust, is refused', async (t) => {
  await withImage(async (image, own) => {
    const path = join(image, 'manifest.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('loglevel=1', 'loglevel=7'));
    t.regex(await refusal(image, own), /manifest\.json is not what key [0-9a-f]{64} signed/);
    await rm(join(image, 'manifest.json.sig'));
    t.regex(await refusal(image, own), /manifest\.json\.sig cannot be read: ENOENT.*image sign/);
  });
  await withImage(async (image, own) => {
    t.regex(await refusal(image, own), /is signed by key [0-9a-f]{64}, which is not trusted/);
  }, signingKey('stranger'));
});

test('an image of another service is refused, however well it is signed', async (t) => {
  await withImage(async (image, own) => {
    t.regex(await refusal(image, own, 'network'), /is of an image of storage, not of network/);
  });
});

test('a key that is none is told by its file', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'image-key-'));
  const path = join(directory, 'key.pem');
  await writeFile(path, 'no key');
  const read = await readTrustedKeys([path]);
  t.regex(read.ok ? '' : read.error, /key\.pem is no public key: it holds no public key in PEM/);
  await writeFile(path, key.publicKey.pem);
  t.like(await readTrustedKeys([path]), { ok: true, value: [{ id: key.publicKey.id }] });
  await rm(directory, { recursive: true });
});
