import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { sha256Of } from '../../pool/images/digest.ts';
import {
  encodeHostManifest,
  type HostManifest,
  hostFileRoles,
  hostGuests,
  hostManifestFile,
  hostSignatureFile,
} from '../../pool/images/host-manifest.ts';
import { type Manifest, manifestFile } from '../../pool/images/manifest.ts';
import { encodeSignature, signAs } from '../../pool/images/signature.ts';
import { keyPem, pretendManifest, signingKey, writeImage } from '../../test/fixtures/images.ts';
import { decodeSeed } from '../host-seed/seed.ts';
import { isGolden } from '../testing/golden.ts';
import { transcript } from '../testing/run.ts';

const key = signingKey('mine');

/** A directory with the keys of two people, and the guests of a host, which one of them signed. */
async function scene(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-host-image-'));
  t.teardown(() => rm(directory, { recursive: true }));
  for (const name of ['mine', 'other']) {
    await writeFile(join(directory, `${name}.pem`), keyPem(name), { mode: 0o600 });
    await writeFile(join(directory, `${name}.pub.pem`), signingKey(name).publicKey.pem);
  }
  for (const service of hostGuests)
    await writeImage(join(directory, 'images', service), {
      ...{ manifest: pretendManifest({ service }), key },
    });
  await writeFile(join(directory, 'images/trusted-key.pem'), key.publicKey.pem);
  return directory;
}

async function lines(directory: string, ...commands: readonly string[]): Promise<string> {
  const seen: string[] = [];
  for (const line of commands) seen.push(await transcript(line.split(' '), { directory }));
  return seen.join('\n\n').replaceAll(directory, '/work');
}

/** Writes what a builder leaves, and signs it. */
async function writeHost(directory: string): Promise<void> {
  await writeImage(directory, { manifest: pretendManifest({ service: 'vm-lifecycle' }), key });
  const files: HostManifest['files'] = [];
  for (const role of hostFileRoles) {
    const file = role === 'control domain' ? manifestFile : role.replace(' ', '-');
    if (role !== 'control domain') await writeFile(join(directory, file), `pretend ${role}\n`);
    const content = await readFile(join(directory, file));
    const size = content.byteLength as Manifest['memory'];
    files.push({ role, file, sha256: sha256Of(content), size });
  }
  const digest = sha256Of(Buffer.from('an image'));
  const bytes = encodeHostManifest({
    format: 'flotilla-host-image/1',
    ...{ version: '0.1.0', architecture: 'x86_64', xen: '4.17.7', files },
    guests: { xenstore: digest, consensus: digest, network: digest, storage: digest },
  });
  await writeFile(join(directory, hostManifestFile), bytes);
  const signature = encodeSignature(signAs('host image', bytes, key));
  await writeFile(join(directory, hostSignatureFile), signature);
}

const seed =
  'host seed --key mine.pem --address 10.0.0.11/24 --guest consensus=10.0.0.21/24 --guest network=10.0.0.22/24 --guest storage=10.0.0.23/24 --dir pool --out seed';

test('a seed is made for a new pool, and again for the same one; what does not fit is told', async (t) => {
  const directory = await scene(t);
  isGolden(
    t,
    'host-seed',
    await lines(
      directory,
      'host seed --help',
      'host seed --key mine.pem --address 10.0.0.11/24 --dir pool --out seed',
      seed,
      'host seed --key mine.pem --address 10.0.0.11/24 --gateway 10.0.0.1 --dir pool --out seed',
      'host seed --key mine.pem --address 10.0.0.12/24 --dir pool --out seed',
      'host seed --key mine.pub.pem --address 10.0.0.11/24 --dir pool --out seed',
      'host seed --key mine.pem --address 10.0.0.11 --dir pool --out seed',
    ),
  );
  const disk = await readFile(join(directory, 'seed'));
  t.is((await stat(join(directory, 'seed'))).mode & 0o077, 0, 'it holds keys');
  const read = decodeSeed(disk, key.publicKey);
  t.like(read, { ok: true, value: { seed: { network: { gateway: '10.0.0.1' } } } });
  const names = read.ok ? Object.keys(read.value.seed.identity) : [];
  t.true(names.includes('ca.pem') && names.includes('consensus-key.pem'));
  t.false(
    names.some((name) => /ca-key|operator/.test(name)),
    'the authority stays',
  );
});

test('a host image is made of guests that its key signed, and of no others', async (t) => {
  const directory = await scene(t);
  const image = 'host image --out host --images images --seed-key other.pub.pem --key mine.pem';
  const seen = [
    await lines(directory, 'host image --help', image, `${image} --image-key other.pub.pem`),
  ];
  await writeFile(join(directory, 'images/network/vmlinuz'), 'another kernel\n');
  seen.push(await lines(directory, image));
  await writeImage(join(directory, 'images/network'), {
    ...{ manifest: pretendManifest({ service: 'storage' }), key },
  });
  seen.push(await lines(directory, image));
  isGolden(t, 'host-image', seen.join('\n\n'));
});

test('a host image is verified with its control domain; what differs is told', async (t) => {
  const directory = await scene(t);
  const host = join(directory, 'host');
  await mkdir(host);
  await writeHost(host);
  const verify = 'host verify host --key mine.pub.pem';
  const seen = [await lines(directory, verify, 'host verify host --key other.pub.pem')];
  await writeFile(join(host, 'hypervisor'), 'pretend hypervisoR\n');
  seen.push(await lines(directory, verify));
  await writeHost(host);
  await writeFile(join(host, 'initramfs.img'), 'another\n');
  seen.push(await lines(directory, verify));
  isGolden(t, 'host-verify', seen.join('\n\n'));
});
