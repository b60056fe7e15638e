import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGuestImage } from '../../deploy/guest-image/build.ts';
import type { KernelOrigin } from '../../deploy/guest-image/kernel/index.ts';
import type { GuestServiceName } from '../../deploy/guest-image/services.ts';
import { cached, contentKey } from '../../deploy/image/cache.ts';
import { BuildFailure, type Report } from '../../deploy/image/command.ts';
import { writeDisk } from '../../deploy/image/disk.ts';
import { makeKeyPair, readSigningKey, type SigningKey } from '../../pool/images/keys.ts';
import { encodeManifest } from '../../pool/images/manifest.ts';
import { encodeSignature, signatureFile, signManifest } from '../../pool/images/signature.ts';

/** What the disk can hold: five images of at most 45 MB. */
const room = { size: 512 * 2 ** 20, files: 256 };

/** The public key of the lab, beside the images. */
const publicKey = 'trusted-key.pem';

/**
 * Builds the guest images of services, signs them with a key of this machine's lab, and writes a
 * read-only disk with a directory for each and the public key. Returns the disk's path.
 */
export async function buildImagesLayer(
  services: readonly GuestServiceName[],
  report: Report,
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'guest-images-'));
  try {
    const parts = await buildSignedImages(services, work, report);
    const directory = await cached('images', contentKey(parts), report, async (aside) => {
      report(`writing the layer with the guest images of ${services.join(', ')}`);
      const tree = join(aside, 'tree');
      await cp(work, tree, { recursive: true });
      await writeDisk(tree, join(aside, 'images.ext4'), room);
      await rm(tree, { recursive: true });
    });
    return join(directory, 'images.ext4');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Builds the guest images of services into directories of their names, signs them with the lab's key, and puts
 * its public half beside them. Returns what tells these images from others.
 */
export async function buildSignedImages(
  services: readonly GuestServiceName[],
  directory: string,
  report: Report,
): Promise<readonly string[]> {
  const key = await labKey(report);
  const parts: string[] = [key.publicKey.id];
  for (const service of services) {
    const out = join(directory, service);
    const kernel = kernelOf(service);
    const request = { service, kernel, architecture: 'x86_64', configuration: null, out } as const;
    const { manifest } = await buildGuestImage(request, report);
    const bytes = encodeManifest(manifest);
    await writeFile(join(out, signatureFile), encodeSignature(signManifest(bytes, key)));
    parts.push(Buffer.from(bytes).toString());
  }
  await writeFile(join(directory, publicKey), key.publicKey.pem);
  return parts;
}

/** A xenstore domain wants a kernel without SMP, or it has no timer: docs/guest-images.md. */
function kernelOf(service: GuestServiceName): KernelOrigin {
  return service === 'xenstore' ? 'specialised' : 'cloud';
}

/** The key that the lab of this machine signs with; made once. */
async function labKey(report: Report): Promise<SigningKey> {
  const directory = await cached('image-key', contentKey(['ed25519']), report, async (aside) => {
    await mkdir(aside, { recursive: true });
    await writeFile(join(aside, 'key.pem'), makeKeyPair().privateKey, { mode: 0o600 });
  });
  const key = readSigningKey(await readFile(join(directory, 'key.pem'), 'utf8'));
  if (key.ok) return key.value;
  throw new BuildFailure(`the lab's key in ${directory} cannot be read: ${key.error}; remove it`);
}
