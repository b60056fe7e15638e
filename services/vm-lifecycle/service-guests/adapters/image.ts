import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Bytes, bytes } from '../../../../base/units.ts';
import {
  difference,
  type FoundFile,
  filesOf,
  type NamedFile,
} from '../../../../pool/images/differences.ts';
import { type Sha256, sha256Of } from '../../../../pool/images/digest.ts';
import { type ImageKey, keyFileSize, readPublicKey } from '../../../../pool/images/keys.ts';
import {
  decodeManifest,
  type Manifest,
  manifestFile,
  manifestSize,
} from '../../../../pool/images/manifest.ts';
import {
  decodeSignature,
  distrustText,
  signatureFile,
  signatureSize,
  verifyManifest,
} from '../../../../pool/images/signature.ts';
import { attempt, readSmall } from './files.ts';

/** How much of a file is read at once while it is copied. */
const chunkSize = 2 ** 20;

/** An image that was checked, and the files that are booted from. */
export interface AdmittedImage {
  readonly manifest: Manifest;
  /** Of the manifest's bytes: what the image is called in the pool. */
  readonly digest: Sha256;
  /** Who signed it. */
  readonly keyId: Sha256;
  readonly kernel: string;
  readonly initramfs: string;
  /** Removes the copies, once the domain is built. */
  discard(): Promise<void>;
}

/** Reads the public keys that images may be signed with. */
export async function readTrustedKeys(
  paths: readonly string[],
): Promise<Result<readonly ImageKey[], string>> {
  const keys: ImageKey[] = [];
  for (const path of paths) {
    const text = await readSmall(path, keyFileSize);
    if (!text.ok) return text;
    const key = readPublicKey(text.value.toString());
    if (!key.ok) return fail(`${path} is no public key: ${key.error}`);
    keys.push(key.value);
  }
  return ok(keys);
}

/** The manifest of an image of this service that a trusted key signed. */
export async function readSignedManifest(
  directory: string,
  service: string,
  trusted: readonly ImageKey[],
): Promise<Result<{ manifest: Manifest; digest: Sha256; keyId: Sha256 }, string>> {
  const path = join(directory, manifestFile);
  const encoded = await readSmall(path, manifestSize);
  if (!encoded.ok) return encoded;
  const signed = await readSmall(join(directory, signatureFile), signatureSize);
  if (!signed.ok) return fail(`${signed.error}; sign it with flotilla image sign`);
  const signature = decodeSignature(signed.value);
  if (!signature.ok)
    return fail(`${join(directory, signatureFile)} is no signature: ${signature.error}`);
  const signer = verifyManifest(encoded.value, signature.value, trusted);
  if (!signer.ok) return fail(`${path} ${distrustText(signer.error)}`);
  const manifest = decodeManifest(encoded.value);
  if (!manifest.ok) return fail(`${path} is no manifest: ${manifest.error}`);
  if (manifest.value.service !== service)
    return fail(`${path} is of an image of ${manifest.value.service}, not of ${service}`);
  return ok({
    manifest: manifest.value,
    digest: sha256Of(encoded.value),
    keyId: signer.value.id,
  });
}

/**
 * Admits the image in a directory to boot: its manifest is signed by a trusted key, and its kernel and
 * initramfs are what the manifest names. They are copied into `own`, a directory that only this user
 * may enter, and the copies are hashed while they are written: the bytes that were checked are those
 * that boot, whoever may write the image's directory. The failure names the file and both digests.
 */
export async function admitImage(
  directory: string,
  service: string,
  trusted: readonly ImageKey[],
  own: string,
): Promise<Result<AdmittedImage, string>> {
  const signed = await readSignedManifest(directory, service, trusted);
  if (!signed.ok) return signed;
  const discard = (): Promise<void> => rm(own, { recursive: true, force: true });
  const made = await attempt(`${own} cannot be made`, async () => {
    await discard();
    await mkdir(own, { recursive: true, mode: 0o700 });
  });
  if (!made.ok) return made;
  for (const named of filesOf(signed.value.manifest)) {
    // What describes the image is not booted; who looks at it checks it by `flotilla image verify`.
    if (named.role === 'sbom') continue;
    const differs = await copyChecked(directory, own, named);
    if (differs === null) continue;
    await discard();
    return fail(`${join(directory, differs)}; build the image again, or copy it again`);
  }
  const { kernel, initramfs } = signed.value.manifest;
  return ok({
    ...signed.value,
    kernel: join(own, kernel.file),
    initramfs: join(own, initramfs.file),
    discard,
  });
}

/** Copies a file of an image, and says how it differs from what its manifest says, or null. */
async function copyChecked(
  directory: string,
  own: string,
  named: NamedFile,
): Promise<string | null> {
  try {
    const found = await copyMeasured(join(directory, named.file), join(own, named.file), named);
    return difference(named, found);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return difference(named, null);
    return `${named.file} cannot be copied: ${error instanceof Error ? error.message : error}`;
  }
}

/** Copies no more than one byte beyond what is expected: that tells that there is too much. */
async function copyMeasured(
  source: string,
  target: string,
  { size }: NamedFile,
): Promise<FoundFile> {
  const from = await open(source, 'r');
  try {
    const into = await open(target, 'wx', 0o600);
    try {
      return await pump(from, into, bytes((size ?? 0) + 1));
    } finally {
      await into.close();
    }
  } finally {
    await from.close();
  }
}

async function pump(from: FileHandle, into: FileHandle, limit: Bytes): Promise<FoundFile> {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(Math.min(chunkSize, limit));
  let size = 0;
  while (size < limit) {
    const { bytesRead } = await from.read(chunk, 0, Math.min(chunk.length, limit - size), null);
    if (bytesRead === 0) break;
    const part = chunk.subarray(0, bytesRead);
    hash.update(part);
    await into.writeFile(part);
    size += bytesRead;
  }
  return { sha256: hash.digest('hex') as Sha256, size: bytes(size) };
}
