import { fail, ok, type Result } from '../../base/result.ts';
import type { Failure } from '../failure.ts';
import type { Pool } from '../pool.ts';
import type { ImageRecord } from '../records/image.ts';
import { type Sha256, sha256Of } from './digest.ts';
import { type ImageKey, readPublicKey } from './keys.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { distrustText, type Signature, verifyManifest } from './signature.ts';

/** A manifest as it was published or found: its bytes, and who is said to have signed them. */
export interface SignedBytes {
  readonly manifest: Uint8Array;
  readonly signature: Signature;
}

/** A manifest that a trusted key signed. */
export interface TrustedManifest {
  readonly manifest: Manifest;
  /** Of its bytes. */
  readonly digest: Sha256;
  readonly signer: ImageKey;
}

/** The keys that the pool trusts now. A record that holds no key is passed over: it helps nobody. */
export async function trustedKeys(pool: Pool): Promise<Result<readonly ImageKey[], Failure>> {
  const records = await pool.imageKeys.all();
  if (!records.ok) return records;
  return ok(
    records.value.flatMap(({ record }) => {
      const key = readPublicKey(record.publicKey);
      return key.ok && key.value.id === record.id ? [key.value] : [];
    }),
  );
}

/** Reads a manifest that one of `keys` signed. Nothing of its content is looked at before. */
export function trustManifest(
  { manifest, signature }: SignedBytes,
  keys: readonly ImageKey[],
): Result<TrustedManifest, Failure> {
  const signer = verifyManifest(manifest, signature, keys);
  if (!signer.ok) {
    const { kind } = signer.error;
    return fail(
      imageFailure(
        `the manifest ${distrustText(signer.error)}`,
        kind === 'unknown-key'
          ? 'Sign it with a key that the pool trusts (flotilla image key list), or trust this one: flotilla image key trust FILE.'
          : 'Copy the image again from where it was signed, or sign it again: flotilla image sign.',
      ),
    );
  }
  const decoded = decodeManifest(manifest);
  if (!decoded.ok)
    return fail(
      imageFailure(
        `the manifest cannot be read: ${decoded.error}`,
        'Build the image again with this release: flotilla image build.',
      ),
    );
  return ok({ manifest: decoded.value, digest: sha256Of(manifest), signer: signer.value });
}

/** What a record of the pool holds. */
export function signedBytesOf({ manifest, signature }: ImageRecord): SignedBytes {
  return { manifest: Buffer.from(manifest), signature };
}

/** A guest image that is refused. */
export function imageFailure(message: string, remedy: string, name?: string): Failure {
  return {
    reason: 'IMAGE',
    message,
    remedy,
    resource: name === undefined ? undefined : { type: 'image', name },
  };
}
