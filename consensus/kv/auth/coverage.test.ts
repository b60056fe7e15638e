import test from 'ava';
import fc from 'fast-check';
import { bytes, rangeOf } from '../../../test/model/store-commands.ts';
import { inRange, isEmptyRange, type KeyRange } from '../key-range.ts';
import { Coverage } from './coverage.ts';

/** Every key of up to three characters of a small alphabet: between any two bounds there is one. */
const letters = ['\0', 'a', 'b', 'c', 'd', 'e', '\xff'];
const universe = ['', ...letters].flatMap((first) =>
  ['', ...letters].flatMap((second) =>
    ['', ...letters].map((third) => bytes(first + second + third)),
  ),
);

test('a coverage holds a range exactly if each of its keys is in one of the ranges', (t) => {
  fc.assert(
    fc.property(fc.array(rangeOf, { maxLength: 6 }), rangeOf, (ranges, asked) => {
      const keys = universe.filter((key) => inRange(asked, key));
      const held = keys.every((key) => ranges.some((range) => inRange(range, key)));
      if (!isEmptyRange(asked)) t.is(new Coverage(ranges).covers(asked), held);
    }),
    { numRuns: 3000 },
  );
});

const span = (from: string, to: string | null): KeyRange => ({
  kind: 'span',
  from: bytes(from),
  to: to === null ? null : bytes(to),
});
const key = (name: string): KeyRange => ({ kind: 'key', key: bytes(name) });

test('ranges that touch are one, and those with a gap between them are not', (t) => {
  t.true(new Coverage([span('a', 'c'), span('c', 'e')]).covers(span('a', 'e')));
  t.false(new Coverage([span('a', 'c'), span('c\0', 'e')]).covers(span('a', 'e')));
  t.true(new Coverage([span('a', 'c'), key('c'), span('c\0', 'e')]).covers(span('a', 'e')));
  t.true(new Coverage([span('a', 'z'), span('b', 'c')]).covers(span('d', 'e')));
});

test('only a range without an upper end holds one without an upper end', (t) => {
  t.false(new Coverage([span('a', '\xff\xff\xff')]).covers(span('b', null)));
  t.true(new Coverage([span('a', 'c'), span('b', null)]).covers(span('a', null)));
  t.false(new Coverage([]).covers(key('a')));
});

test('a range that holds no key is asked for as its first key', (t) => {
  const coverage = new Coverage([span('b', 'd'), span('z', 'y')]);
  t.true(coverage.covers(span('c', 'a')));
  t.false(coverage.covers(span('z', 'y')));
});
