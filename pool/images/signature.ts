import { sign, verify } from 'node:crypto';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Sha256, Sha256Schema } from './digest.ts';
import type { ImageKey, SigningKey } from './keys.ts';

/** Where an image has the signature of its manifest, beside it. */
export const signatureFile = 'manifest.json.sig';

/** A signature's file has about 250 bytes; more than this is not read. */
export const signatureSize = 4096;

/**
 * What is signed begins with one of these, so that nobody can be made to sign a manifest who is asked for a
 * signature of something else with the same key.
 */
const domains = {
  manifest: Buffer.from('flotilla guest image manifest, version 1\0'),
  'host image': Buffer.from('flotilla host image, version 1\0'),
  'host seed': Buffer.from('flotilla host seed, version 1\0'),
} as const;

/** What can be signed. */
export type Signed = keyof typeof domains;

/** An Ed25519 signature in base64: 64 bytes (RFC 8032), in the one way to write them. */
const signatureText = /^[A-Za-z0-9+/]{85}[AQgw]==$/;

/** A detached signature over the bytes of `manifest.json`. */
export const SignatureSchema = v.strictObject({
  format: v.literal('flotilla-image-signature/1'),
  /** The key that made it: `ImageKey.id`. */
  keyId: Sha256Schema,
  signature: v.pipe(v.string(), v.regex(signatureText, 'is no Ed25519 signature in base64')),
});
export type Signature = v.InferOutput<typeof SignatureSchema>;

/** Why a manifest is not to be believed. */
export type Distrust =
  | { readonly kind: 'unknown-key'; readonly keyId: Sha256 }
  | { readonly kind: 'wrong-signature'; readonly keyId: Sha256 };

/** Signs the bytes of a manifest. The same key and bytes give the same signature. */
export function signManifest(manifest: Uint8Array, key: SigningKey): Signature {
  return signAs('manifest', manifest, key);
}

/** Signs bytes as what they are. The same key and bytes give the same signature. */
export function signAs(what: Signed, bytes: Uint8Array, { key, publicKey }: SigningKey): Signature {
  const signature = sign(null, Buffer.concat([domains[what], bytes]), key).toString('base64');
  return { format: 'flotilla-image-signature/1', keyId: publicKey.id, signature };
}

/** The key among those that are trusted which signed exactly these bytes as a manifest. */
export function verifyManifest(
  manifest: Uint8Array,
  signature: Signature,
  trusted: readonly ImageKey[],
): Result<ImageKey, Distrust> {
  return verifyAs('manifest', manifest, signature, trusted);
}

/** The key among those that are trusted which signed exactly these bytes as this. */
export function verifyAs(
  what: Signed,
  bytes: Uint8Array,
  { keyId, signature }: Signature,
  trusted: readonly ImageKey[],
): Result<ImageKey, Distrust> {
  const signer = trusted.find(({ id }) => id === keyId);
  if (signer === undefined) return fail({ kind: 'unknown-key', keyId });
  const message = Buffer.concat([domains[what], bytes]);
  return verify(null, message, signer.key, Buffer.from(signature, 'base64'))
    ? ok(signer)
    : fail({ kind: 'wrong-signature', keyId });
}

/** Why a manifest is not to be believed, as a clause that follows "the manifest". */
export function distrustText({ kind, keyId }: Distrust): string {
  switch (kind) {
    case 'unknown-key':
      return `is signed by key ${keyId}, which is not trusted`;
    case 'wrong-signature':
      return `is not what key ${keyId} signed: it, or its signature, was changed`;
  }
}

/** The bytes of `manifest.json.sig`. */
export function encodeSignature(signature: Signature): Uint8Array {
  return Buffer.from(`${JSON.stringify(v.parse(SignatureSchema, signature), null, 2)}\n`);
}

/** Reads what `encodeSignature` wrote. The failure says what is wrong with the bytes. */
export function decodeSignature(encoded: Uint8Array): Result<Signature, string> {
  if (encoded.byteLength > signatureSize) return fail('it is larger than 4 KiB');
  const text = Buffer.from(encoded).toString('utf8');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), SignatureSchema), text);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  return fail(field === null ? issue.message : `${field}: ${issue.message}`);
}
