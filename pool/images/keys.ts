import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Sha256, sha256Of } from './digest.ts';

/** A PEM file of an Ed25519 key has about 120 bytes; more than this is not read. */
export const keyFileSize = 4096;

/** A public key that signatures of images are checked with: Ed25519 (RFC 8032). */
export interface ImageKey {
  /** The SHA-256 of its SubjectPublicKeyInfo in DER (RFC 8410). */
  readonly id: Sha256;
  /** The key as PEM, in the one form that it has. */
  readonly pem: string;
  readonly key: KeyObject;
}

/** A private key that images are signed with. */
export interface SigningKey {
  readonly publicKey: ImageKey;
  readonly key: KeyObject;
}

/** A new pair of keys as PEM: the private one as PKCS #8, the public one as SubjectPublicKeyInfo. */
export function makeKeyPair(): {
  readonly id: Sha256;
  readonly privateKey: string;
  readonly publicKey: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { id, pem } = imageKey(publicKey);
  const own = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { id, privateKey: own, publicKey: pem };
}

/** Reads a public key out of PEM. The failure says what the text is instead. */
export function readPublicKey(pem: string): Result<ImageKey, string> {
  if (pem.length > keyFileSize) return fail('it is too large for a key');
  // createPublicKey would take the public half out of a private key: that file is in wrong hands here.
  if (pem.includes('PRIVATE KEY-----')) return fail('it holds a private key, not a public one');
  const key = attempt(() => createPublicKey(pem));
  if (key === null) return fail('it holds no public key in PEM');
  return isEd25519(key) ? ok(imageKey(key)) : fail(otherKind(key));
}

/** Reads a private key out of PEM. The failure says what the text is instead. */
export function readSigningKey(pem: string): Result<SigningKey, string> {
  if (pem.length > keyFileSize) return fail('it is too large for a key');
  if (pem.includes('BEGIN PUBLIC KEY-----'))
    return fail('it holds a public key; images are signed with the private one');
  const key = attempt(() => createPrivateKey(pem));
  if (key === null)
    return fail('it holds no private key in PEM that can be read without a password');
  if (!isEd25519(key)) return fail(otherKind(key));
  return ok({ key, publicKey: imageKey(createPublicKey(key)) });
}

function imageKey(key: KeyObject): ImageKey {
  return {
    id: sha256Of(key.export({ type: 'spki', format: 'der' })),
    pem: key.export({ type: 'spki', format: 'pem' }).toString(),
    key,
  };
}

function isEd25519(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ed25519';
}

function otherKind(key: KeyObject): string {
  return `it holds a key of another kind (${key.asymmetricKeyType}); images are signed with Ed25519`;
}

/** Null: OpenSSL could not make anything of it. */
function attempt(read: () => KeyObject): KeyObject | null {
  try {
    return read();
  } catch {
    return null;
  }
}
