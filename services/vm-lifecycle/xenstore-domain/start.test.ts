import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runCommand } from '../../../base/command.ts';
import { systemClock } from '../../../pool/clock.ts';
import { sha256Of } from '../../../pool/images/digest.ts';
import type { Manifest } from '../../../pool/images/manifest.ts';
import type { HostId } from '../../../pool/records/identifiers.ts';
import { pretendManifest, signingKey, writeImage } from '../../../test/fixtures/images.ts';
import { pinnedTrust } from '../adapters/images/trust-sources.ts';
import { measurementsFolder, openOwnImages } from '../service-guests/adapters/own-images.ts';
import { findBuilder, startXenstoreDomain, type XenstoreDomainStart } from './start.ts';

const key = signingKey('builder');
const id = '5cbe1b5c-0f0e-4a39-8a4e-111111111111' as HostId;

function manifest(changes: Partial<Manifest> = {}): Manifest {
  return pretendManifest({
    architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
    ...changes,
  });
}

/** A signed image, and in place of init-xenstore-domain a program that notes what it was given. */
async function host(t: ExecutionContext, builder: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'xenstore-domain-'));
  const image = join(directory, 'image');
  await writeImage(image, { manifest: manifest(), key });
  const program = join(directory, 'usr/lib/xen-4.17/bin/init-xenstore-domain');
  await mkdir(join(program, '..'), { recursive: true });
  await writeFile(program, ['#!/bin/sh', ...builder, ''].join('\n'));
  await chmod(program, 0o755);
  const dataDir = join(directory, 'work');
  await mkdir(dataDir);
  const of = { id, name: 'host-1' };
  const images = await openOwnImages({ host: of, dataDir, boot: 'boot-1', clock: systemClock });
  if (!images.ok) throw new Error(images.error.message);
  t.teardown(async () => {
    await images.value.close();
    await rm(directory, { recursive: true });
  });
  const start: XenstoreDomainStart = {
    ...{ host: of, image, trust: pinnedTrust([key.publicKey]), images: images.value, words: '' },
    ...{ builder: program, run: runCommand },
  };
  const measured = async () => {
    const folder = join(dataDir, measurementsFolder);
    const texts = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
    );
    return texts.join('');
  };
  return { start, measured };
}

const noting = ['d=$(dirname "$0")', 'printf "%s\\n" "$@" >"$d/words"', 'cp "$2" "$4" "$d"'];

test('the builder is given the files that were checked, and what the manifest wants', async (t) => {
  const { start, measured } = await host(t, noting);
  t.deepEqual(await startXenstoreDomain({ ...start, words: 'flotilla.memory=5' }), {
    ...{ ok: true, value: undefined },
  });
  const seen = join(start.builder, '..');
  const words = (await readFile(join(seen, 'words'), 'utf8')).trim().split('\n');
  const { kernel, memory, commandLine } = manifest();
  t.deepEqual(words.slice(4), [
    ...['--memory', String(memory / 2 ** 20), '--param', `${commandLine} flotilla.memory=5`],
  ]);
  // The copies are gone: what the builder was given is under another name.
  t.false(words[1]?.startsWith(start.image), 'a copy boots, which nobody else can change');
  const copies = (await readdir(seen)).filter((name) => !/words|init-xenstore/.test(name));
  const digests = await Promise.all(
    copies.map(async (name) => sha256Of(await readFile(join(seen, name)))),
  );
  t.deepEqual(digests.sort(), [kernel.sha256, manifest().initramfs.sha256].sort());
  t.true((await measured()).includes(kernel.sha256), 'what boots was measured');
});

test('an image with one bit changed does not start, and is told by both digests', async (t) => {
  const { start } = await host(t, noting);
  const path = join(start.image, manifest().kernel.file);
  const content = await readFile(path);
  content.writeUInt8(content.readUInt8(3) ^ 1, 3);
  await writeFile(path, content);
  const started = await startXenstoreDomain(start);
  const said = started.ok ? '' : started.error.message;
  t.true(said.includes(sha256Of(content)), said);
  t.true(said.includes(manifest().kernel.sha256), said);
  t.deepEqual(await readdir(join(start.builder, '..')), ['init-xenstore-domain'], 'it never ran');
});

test('an image of another service, of an unknown signer, or with strange words does not start', async (t) => {
  const { start } = await host(t, noting);
  const stranger = { ...start, trust: pinnedTrust([signingKey('stranger').publicKey]) };
  t.like(await startXenstoreDomain(stranger), { ok: false });
  t.like(await startXenstoreDomain({ ...start, words: 'init=/bin/sh' }), { ok: false });
  await writeImage(start.image, { manifest: manifest({ service: 'storage' }), key });
  const other = await startXenstoreDomain(start);
  t.regex(other.ok ? '' : other.error.message, /holds the image of the storage service/);
});

test('what the builder says is passed on', async (t) => {
  const { start } = await host(t, ['echo "ioctl failed: Device or resource busy" >&2', 'exit 1']);
  t.like(await startXenstoreDomain(start), {
    ok: false,
    error: {
      message: 'init-xenstore-domain failed: ioctl failed: Device or resource busy',
      remedy: 'It works once for each boot of a host, and where no xenstored runs.',
    },
  });
  t.like(await startXenstoreDomain({ ...start, builder: '/no/such/builder' }), {
    ok: false,
    error: { message: 'init-xenstore-domain is not on this host' },
  });
});

test('the newest builder of the host is taken', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'builders-'));
  t.teardown(() => rm(root, { recursive: true }));
  t.is(await findBuilder(root), null);
  for (const name of ['xen-4.9', 'xen-4.17', 'xen-common']) await mkdir(join(root, name));
  t.is(await findBuilder(root), join(root, 'xen-4.17/bin/init-xenstore-domain'));
});
