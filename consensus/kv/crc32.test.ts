import { randomBytes } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import test from 'ava';
import { crc32 } from './crc32.ts';

test('the checksum is that of zlib', (t) => {
  t.is(crc32(Buffer.from('123456789')), 0xcbf4_3926);
  for (const length of [0, 1, 255, 10_000]) {
    const bytes = randomBytes(length);
    t.is(crc32(bytes), zlibCrc32(bytes));
  }
});
