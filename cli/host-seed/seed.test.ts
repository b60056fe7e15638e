import test from 'ava';
import { signingKey } from '../../test/fixtures/images.ts';
import { pretendSeed } from '../testing/pretend-seed.ts';
import { decodeSeed, encodeSeed, seedSizeMax } from './seed.ts';

const key = signingKey('operator');

function disk(): Buffer {
  const encoded = encodeSeed(pretendSeed(), key);
  if (!encoded.ok) throw new Error(encoded.error);
  return Buffer.from(encoded.value);
}

test('what the operator signed is read from a disk, whatever the disk has after it', (t) => {
  const written = disk();
  t.is(written.byteLength % 4096, 0, 'whole blocks');
  const larger = Buffer.concat([written, Buffer.alloc(2 * seedSizeMax, 'x')]);
  for (const each of [written, larger]) {
    const read = decodeSeed(each, key.publicKey);
    t.deepEqual(read.ok ? read.value.seed : read.error, pretendSeed());
    // What is kept of it is a seed again.
    const kept = read.ok ? decodeSeed(read.value.bytes, key.publicKey) : read;
    t.true(kept.ok);
  }
});

test('a seed of another key is told by that key, one with a byte changed by its own', (t) => {
  const stranger = signingKey('stranger').publicKey;
  const untrusted = decodeSeed(disk(), stranger);
  t.like(untrusted, { ok: false, error: { code: 'untrusted' } });
  t.true(!untrusted.ok && untrusted.error.why.includes(key.publicKey.id));
  const changed = disk();
  const at = changed.indexOf('10.0.0.11');
  changed.write('10.0.0.66', at);
  t.like(decodeSeed(changed, key.publicKey), { ok: false, error: { code: 'changed' } });
  const short = disk().subarray(0, 600);
  t.like(decodeSeed(short, key.publicKey), { ok: false, error: { code: 'changed' } });
});

test('a disk with anything else holds no seed', (t) => {
  const others = [
    Buffer.alloc(0),
    Buffer.alloc(8192),
    Buffer.alloc(8192, '\n'),
    Buffer.from('{"size": 5}\n12345'),
    Buffer.from('{"size": 99999999, "signature": null}\n'),
    Buffer.alloc(2 * seedSizeMax, '{'),
  ];
  for (const each of others)
    t.like(decodeSeed(each, key.publicKey), { ok: false, error: { code: 'blank' } });
});

test('a signature of something else is none of a seed', (t) => {
  const text = disk().toString();
  const [head = '', content = ''] = text.split('\n');
  const { signature, size } = JSON.parse(head);
  const other = JSON.stringify({ size, signature: { ...signature, keyId: 'ab'.repeat(32) } });
  const read = decodeSeed(Buffer.from(`${other}\n${content}\n`), key.publicKey);
  t.like(read, { ok: false, error: { code: 'untrusted' } });
});

test('no more is signed than a host would read, and nothing that it would not', (t) => {
  const seed = pretendSeed();
  const path = encodeSeed({ ...seed, identity: { '../../etc/passwd': '-----BEGIN X' } }, key);
  t.regex(path.ok ? '' : path.error, /is no NAME\.pem/);
  const pem = `-----BEGIN ${'x'.repeat(60_000)}`;
  const names = Array.from({ length: 26 }, (_, at) => `${String.fromCharCode(97 + at)}.pem`);
  const large = encodeSeed(
    { ...seed, identity: Object.fromEntries(names.map((name) => [name, pem])) },
    key,
  );
  t.regex(large.ok ? '' : large.error, /larger than 1048576 bytes|size/);
});
