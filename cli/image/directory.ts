import { join } from 'node:path';
import { fail, ok, type Result } from '../../base/result.ts';
import { difference, filesOf } from '../../pool/images/differences.ts';
import { type Sha256, sha256Of } from '../../pool/images/digest.ts';
import {
  decodeManifest,
  type Manifest,
  manifestFile,
  manifestSize,
} from '../../pool/images/manifest.ts';
import {
  decodeSignature,
  type Signature,
  signatureFile,
  signatureSize,
} from '../../pool/images/signature.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { measureFile, readSmall, unusable } from './files.ts';

/** The manifest of the image in a directory, as it was read: its bytes are what is signed. */
export interface ImageDirectory {
  readonly path: string;
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
  /** Of those bytes: what the image is called in the pool. */
  readonly digest: Sha256;
}

/** Reads the manifest of the image in a directory. */
export async function readImage(path: string): Promise<Result<ImageDirectory, Problem>> {
  const file = join(path, manifestFile);
  const bytes = await readSmall(file, manifestSize);
  if (!bytes.ok)
    return fail({ ...bytes.error, remedy: 'name the directory that `flotilla image build` wrote' });
  const manifest = decodeManifest(bytes.value);
  if (!manifest.ok)
    return fail(unusable(file, `is no manifest: ${manifest.error}`, 'build the image again'));
  return ok({
    path,
    manifest: manifest.value,
    bytes: bytes.value,
    digest: sha256Of(bytes.value),
  });
}

/** Reads the signature beside the manifest. */
export async function readSignature({ path }: ImageDirectory): Promise<Result<Signature, Problem>> {
  const file = join(path, signatureFile);
  const bytes = await readSmall(file, signatureSize);
  const remedy = `sign it with \`flotilla image sign ${path} --key FILE\``;
  if (!bytes.ok) return fail({ ...bytes.error, remedy });
  const signature = decodeSignature(bytes.value);
  return signature.ok
    ? signature
    : fail(unusable(file, `is no signature: ${signature.error}`, remedy));
}

/** Compares every file that the manifest names with it. The failure names all that differ, and how. */
export async function checkFiles(image: ImageDirectory): Promise<Result<void, Problem>> {
  const details: string[] = [];
  for (const named of filesOf(image.manifest)) {
    const found = await measureFile(join(image.path, named.file));
    if (!found.ok) return found;
    const differs = difference(named, found.value);
    if (differs !== null) details.push(differs);
  }
  if (details.length === 0) return ok(undefined);
  return fail({
    exitCode: exitCodes.failed,
    message: `the image in ${image.path} is not the one that its manifest describes`,
    details,
    remedy: 'build the image again, or copy it again from where it was built',
    reason: 'IMAGE',
  });
}
