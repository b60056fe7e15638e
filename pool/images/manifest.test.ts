import test from 'ava';
import fc from 'fast-check';
import { ok } from '../../base/result.ts';
import { bytes } from '../../base/units.ts';
import { anyManifest } from '../../test/fixtures/manifests.ts';
import { checkManifest, decodeManifest, encodeManifest, manifestSize } from './manifest.ts';

test('what is written is read again, in the same bytes', (t) => {
  fc.assert(
    fc.property(anyManifest, (manifest) => {
      const encoded = encodeManifest(manifest);
      t.deepEqual(decodeManifest(encoded), ok(manifest));
      t.deepEqual(encodeManifest(manifest), encoded);
    }),
  );
});

test('the order in which fields were given does not change the bytes', (t) => {
  fc.assert(
    fc.property(anyManifest, (manifest) => {
      const reversed = Object.fromEntries(Object.entries(manifest).reverse());
      const checked = checkManifest(reversed);
      return (
        checked.ok && Buffer.compare(encodeManifest(checked.value), encodeManifest(manifest)) === 0
      );
    }),
  );
  t.pass();
});

test('bytes that are no manifest are a failure, never an exception', (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => !decodeManifest(junk).ok));
  fc.assert(fc.property(fc.json(), (text) => !decodeManifest(Buffer.from(text)).ok));
  t.pass();
});

test('a manifest with one byte changed is refused, or is another manifest', (t) => {
  fc.assert(
    fc.property(anyManifest, fc.nat(), fc.integer({ min: 1, max: 255 }), (manifest, at, by) => {
      const encoded = Buffer.from(encodeManifest(manifest));
      const place = at % encoded.length;
      encoded[place] = (encoded[place] ?? 0) ^ by;
      const decoded = decodeManifest(encoded);
      return !decoded.ok || Buffer.compare(encodeManifest(decoded.value), encoded) === 0;
    }),
  );
  t.pass();
});

const [sample] = fc.sample(anyManifest, { numRuns: 1, seed: 5 });

test('a failure names the field, and what is wrong with it', (t) => {
  const refused = (change: object): string => {
    const checked = checkManifest({ ...sample, ...change });
    return checked.ok ? 'was accepted' : checked.error;
  };
  t.regex(refused({ service: 'cooking' }), /^service: /);
  t.regex(refused({ format: 'flotilla-guest-image/2' }), /^format: /);
  t.regex(refused({ forbids: [] }), /^forbids: /);
  t.regex(refused({ kernel: { ...sample?.kernel, file: '../vmlinuz' } }), /^kernel\.file: is not/);
  t.regex(refused({ kernel: { ...sample?.kernel, sha256: 'AB' } }), /^kernel\.sha256: is not/);
  t.regex(refused({ commandLine: 'quiet\u001b[2J' }), /^commandLine: holds a character/);
  t.regex(
    refused({ devices: Array.from({ length: 65 }, () => '/dev/null') }),
    /^devices: has more/,
  );
  t.regex(refused({ memory: bytes(0) }), /^memory: /);
  const { kernel } = sample ?? {};
  t.regex(
    refused({ sbom: { file: kernel?.file, sha256: kernel?.sha256 } }),
    /^names one file twice/,
  );
});

test('more than 1 MiB is not parsed', (t) => {
  const large = decodeManifest(Buffer.alloc(manifestSize + 1, ' '));
  t.deepEqual(large, { ok: false, error: 'it is larger than 1 MiB' });
});

test('the same content in other words is refused', (t) => {
  t.truthy(sample);
  if (sample === undefined) return;
  const text = Buffer.from(encodeManifest(sample)).toString();
  for (const other of [
    JSON.stringify(sample),
    text.trimEnd(),
    text.replace('{', '{ "service": "storage",'),
  ]) {
    const decoded = decodeManifest(Buffer.from(other));
    t.regex(decoded.ok ? 'was accepted' : decoded.error, /changed by hand/);
  }
});
