import test from 'ava';
import { bytes } from '../../../base/units.ts';
import { footprint } from './footprint.ts';

test('on Xen a domain takes what libxl sets aside for it beside its memory', (t) => {
  const mebibyte = 2 ** 20;
  t.is(footprint(256 * mebibyte, 1, 'xen'), bytes((256 + 1 + 2 + 2) * mebibyte));
  t.is(footprint(1024 * mebibyte, 4, 'xen'), bytes((1024 + 4 + 8 + 2) * mebibyte));
});

test('a simulated domain takes its memory and no more', (t) => {
  t.is(footprint(256, 8, 'simulated'), bytes(256));
});
