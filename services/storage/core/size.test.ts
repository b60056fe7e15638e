import test from 'ava';
import fc from 'fast-check';
import { bounds } from '../../../base/bounds.ts';
import { sectorSize, virtualSizeFor } from './size.ts';

test('a size within the bounds is rounded up to whole sectors, by less than one sector', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: bounds.vdiSizeMin, max: bounds.vdiSizeMax }), (requested) => {
      const size = virtualSizeFor(requested);
      return (
        size.ok &&
        size.value % sectorSize === 0 &&
        size.value >= requested &&
        size.value - requested < sectorSize &&
        size.value <= bounds.vdiSizeMax
      );
    }),
  );
  t.deepEqual(virtualSizeFor(513), { ok: true, value: 1024 });
});

test('what overflows, is no whole number or breaks a bound is refused by a sentence', (t) => {
  const refused = [
    [0, '0 bytes are less than 512 B, the least'],
    [-512, '-512 bytes are less than 512 B, the least'],
    [511, '511 bytes are less than 512 B, the least'],
    [bounds.vdiSizeMax + 1, '70368744177665 bytes are more than 64 TiB, the most'],
    [2 ** 53, '9007199254740992 is not a whole number of bytes below 8 PiB'],
    [2 ** 64, '18446744073709552000 is not a whole number of bytes below 8 PiB'],
    [1.5, '1.5 is not a whole number of bytes below 8 PiB'],
    [Number.NaN, 'NaN is not a whole number of bytes below 8 PiB'],
  ] as const;
  for (const [requested, error] of refused)
    t.deepEqual(virtualSizeFor(requested), { ok: false, error });
});
