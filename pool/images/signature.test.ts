import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import type { Result } from '../../base/result.ts';
import { anyManifest } from '../../test/fixtures/manifests.ts';
import { makeKeyPair, readPublicKey, readSigningKey } from './keys.ts';
import { encodeManifest } from './manifest.ts';
import { decodeSignature, encodeSignature, signManifest, verifyManifest } from './signature.ts';

function value<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

function newKey() {
  const pair = makeKeyPair();
  return { ...pair, signing: value(readSigningKey(pair.privateKey)) };
}

const own = newKey();
const other = newKey();
const trusted = [own.signing.publicKey, other.signing.publicKey];

test('what was signed is verified by its key, and the signature survives its file', (t) => {
  fc.assert(
    fc.property(anyManifest, (manifest) => {
      const bytes = encodeManifest(manifest);
      const signature = signManifest(bytes, own.signing);
      const read = value(decodeSignature(encodeSignature(signature)));
      t.deepEqual(read, signature);
      t.is(value(verifyManifest(bytes, read, trusted)).id, own.signing.publicKey.id);
    }),
    { numRuns: 30 },
  );
});

test('one bit changed, in the manifest or in the signature, is noticed', (t) => {
  const flipped = (from: Uint8Array, bit: number): Uint8Array => {
    const copy = Buffer.from(from);
    const at = (bit >> 3) % copy.length;
    copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
    return copy;
  };
  fc.assert(
    fc.property(anyManifest, fc.nat(), (manifest, bit) => {
      const bytes = encodeManifest(manifest);
      const signature = signManifest(bytes, own.signing);
      const changed = verifyManifest(flipped(bytes, bit), signature, trusted);
      t.like(changed, { ok: false, error: { kind: 'wrong-signature' } });
      const raw = Buffer.from(signature.signature, 'base64');
      const forged = { ...signature, signature: Buffer.from(flipped(raw, bit)).toString('base64') };
      t.false(verifyManifest(bytes, forged, trusted).ok);
    }),
    { numRuns: 30 },
  );
});

test('a key that is not trusted, or another one’s name, does not help', (t) => {
  const bytes = Buffer.from('{}');
  const signature = signManifest(bytes, own.signing);
  const keyId = other.signing.publicKey.id;
  t.deepEqual(verifyManifest(bytes, signature, [other.signing.publicKey]), {
    ok: false,
    error: { kind: 'unknown-key', keyId: signature.keyId },
  });
  t.deepEqual(verifyManifest(bytes, { ...signature, keyId }, trusted), {
    ok: false,
    error: { kind: 'wrong-signature', keyId },
  });
});

test('junk is no signature and no key: a failure, never an exception', (t) => {
  fc.assert(fc.property(fc.uint8Array(), (junk) => !decodeSignature(junk).ok));
  fc.assert(fc.property(fc.json(), (text) => !decodeSignature(Buffer.from(text)).ok));
  fc.assert(
    fc.property(fc.string(), (text) => !readPublicKey(text).ok && !readSigningKey(text).ok),
  );
  t.pass();
});

test('each half of a pair is told from the other, and from keys of other kinds', (t) => {
  const elliptic = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const refusal = (result: Result<unknown, string>) => (result.ok ? 'was taken' : result.error);
  t.is(value(readPublicKey(own.publicKey)).id, own.signing.publicKey.id);
  t.is(own.signing.publicKey.pem, own.publicKey);
  t.regex(refusal(readPublicKey(own.privateKey)), /it holds a private key/);
  t.regex(refusal(readSigningKey(own.publicKey)), /it holds a public key/);
  t.regex(refusal(readPublicKey(elliptic.publicKey)), /of another kind \(ec\)/);
  t.regex(refusal(readSigningKey(elliptic.privateKey)), /of another kind \(ec\)/);
});
