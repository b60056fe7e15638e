import { join } from 'node:path';
import { fail, type Result } from '../../../../base/result.ts';
import { readSmallFile } from '../../../../base/small-file.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { sha256Of } from '../../../../pool/images/digest.ts';
import type { ImageKey } from '../../../../pool/images/keys.ts';
import { decodeManifest, manifestFile, manifestSize } from '../../../../pool/images/manifest.ts';
import {
  decodeSignature,
  signatureFile,
  signatureSize,
} from '../../../../pool/images/signature.ts';
import {
  imageFailure,
  signedBytesOf,
  type TrustedManifest,
  trustedKeys,
  trustManifest,
} from '../../../../pool/images/trust.ts';
import type { Pool } from '../../../../pool/pool.ts';
import { imageId } from '../../../../pool/records/image.ts';

/** Says whether the manifest of the image in a directory is to be believed. */
export type TrustSource = (directory: string) => Promise<Result<TrustedManifest, Failure>>;

/** Believes what the pool knows now, and a key that it trusts now has signed. */
export function poolTrust(pool: Pool): TrustSource {
  return async (directory) => {
    const bytes = await readSmall(join(directory, manifestFile), manifestSize);
    if (!bytes.ok) return bytes;
    const manifest = decodeManifest(bytes.value);
    if (!manifest.ok)
      return fail(notRead(join(directory, manifestFile), `it is no manifest: ${manifest.error}`));
    const digest = sha256Of(bytes.value);
    const stored = await pool.images.get(imageId({ ...manifest.value, digest }));
    if (!stored.ok) return stored;
    if (stored.value === null)
      return fail(
        imageFailure(
          `the pool knows no signed manifest ${digest}, which is that of ${directory}`,
          'Sign and publish the image, or put a published one on the host: flotilla image sign, publish, list.',
          digest,
        ),
      );
    const keys = await trustedKeys(pool);
    if (!keys.ok) return keys;
    return trustManifest(signedBytesOf(stored.value.record), keys.value);
  };
}

/**
 * Believes what one of `keys` has signed, by the signature beside the manifest: for the guests that
 * a host starts before the pool database answers, with the keys of its seed.
 */
export function pinnedTrust(keys: readonly ImageKey[]): TrustSource {
  return async (directory) => {
    const manifest = await readSmall(join(directory, manifestFile), manifestSize);
    if (!manifest.ok) return manifest;
    const path = join(directory, signatureFile);
    const encoded = await readSmall(path, signatureSize);
    if (!encoded.ok) return encoded;
    const signature = decodeSignature(encoded.value);
    if (!signature.ok) return fail(notRead(path, `it is no signature: ${signature.error}`));
    return trustManifest({ manifest: manifest.value, signature: signature.value }, keys);
  };
}

async function readSmall(path: string, limit: number): Promise<Result<Buffer, Failure>> {
  const read = await readSmallFile(path, limit);
  if (read.ok) return read;
  const { kind, why } = read.error;
  const said = { missing: 'there is no such file', 'too-large': `it ${why}`, unreadable: why };
  return fail(notRead(path, said[kind]));
}

function notRead(path: string, why: string): Failure {
  return imageFailure(
    `the image cannot be trusted: ${path} cannot be read: ${why}`,
    'Copy all files of the image to the host, as flotilla image build and sign wrote them.',
  );
}
