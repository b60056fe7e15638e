import test from 'ava';
import fc from 'fast-check';
import { bytesOf, commonPrefix, prefixEnd } from './messages.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });

test('a range from a prefix to its end holds exactly the keys that begin with it', (t) => {
  fc.assert(
    fc.property(text, fc.string({ unit: 'grapheme', maxLength: 8 }), (prefix, rest) => {
      for (const key of [prefix + rest, rest]) {
        const bytes = bytesOf(key);
        const isInside =
          Buffer.compare(bytes, bytesOf(prefix)) >= 0 &&
          Buffer.compare(bytes, prefixEnd(prefix)) < 0;
        t.is(
          isInside,
          Buffer.from(bytes).subarray(0, bytesOf(prefix).length).equals(bytesOf(prefix)),
        );
      }
    }),
  );
});

test('the common prefix is the longest text that all begin with', (t) => {
  t.is(commonPrefix(['/flotilla/vms/']), '/flotilla/vms/');
  t.is(commonPrefix(['/flotilla/vms/', '/flotilla/vm-status/']), '/flotilla/vm');
  t.is(commonPrefix(['a', 'b']), '');
  t.is(commonPrefix(['/a/', '/a/b/']), '/a/');
});
