import test from 'ava';
import fc from 'fast-check';
import { Scrollback } from './scrollback.ts';

const text = new TextEncoder();
const read = new TextDecoder();

function reading(scrollback: Scrollback, place: number) {
  const { data, next, skipped } = scrollback.since(place);
  return { text: read.decode(data), next, skipped };
}

test('a reader that comes late gets what is kept, and then what is new', (t) => {
  const scrollback = new Scrollback(100);
  scrollback.append(text.encode('hello '));
  scrollback.append(text.encode('world'));
  t.deepEqual(reading(scrollback, 0), { text: 'hello world', next: 11, skipped: 0 });
  t.deepEqual(reading(scrollback, 6), { text: 'world', next: 11, skipped: 0 });
  t.deepEqual(reading(scrollback, 11), { text: '', next: 11, skipped: 0 });
});

test('what is too much is dropped from the start, and a slow reader is told how much', (t) => {
  const scrollback = new Scrollback(4);
  scrollback.append(text.encode('abc'));
  scrollback.append(text.encode('defg'));
  t.deepEqual(reading(scrollback, 1), { text: 'defg', next: 7, skipped: 2 });
  scrollback.append(text.encode('0123456789'));
  t.deepEqual(reading(scrollback, 7), { text: '6789', next: 17, skipped: 6 });
});

test('for any pieces, what is read is the end of what was written', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 6000 }),
      fc.nat(40_000),
      (pieces, capacity, place) => {
        const scrollback = new Scrollback(capacity);
        for (const piece of pieces) scrollback.append(piece);
        const whole = Buffer.concat(pieces);
        const from = Math.min(Math.max(place, whole.length - capacity), whole.length);
        const { data, next } = scrollback.since(place);
        t.is(next, whole.length);
        t.deepEqual(Buffer.from(data), whole.subarray(from));
      },
    ),
    { numRuns: 50 },
  );
});

test('what a caller does to its buffer afterwards does not change what was kept', (t) => {
  const scrollback = new Scrollback(10);
  const buffer = text.encode('abc');
  scrollback.append(buffer);
  buffer.fill(0);
  t.is(reading(scrollback, 0).text, 'abc');
});
