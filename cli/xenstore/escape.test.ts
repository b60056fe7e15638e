import test from 'ava';
import { escaped, jsonValue, unescaped } from './escape.ts';

test('any bytes come back from their escapes, and text that needs none is itself', (t) => {
  const all = Uint8Array.from({ length: 256 }, (_, index) => index);
  const back = unescaped(escaped(all));
  t.deepEqual(back.ok && [...back.value], [...all]);
  t.is(escaped(Buffer.from('web "1"')), 'web "1"');
  t.is(
    escaped(Buffer.from([0, 7, 8, 9, 10, 13, 27, 92, 127, 255])),
    '\\000\\007\\x08\\t\\n\\r\\x1b\\\\\\x7f\\xff',
  );
});

test('escapes may be short, and characters beyond ASCII are UTF-8', (t) => {
  const rows: readonly (readonly [text: string, bytes: readonly number[]])[] = [
    ['\\x9', [9]],
    ['\\x099', [9, 0x39]],
    ['\\7', [7]],
    ['\\0017', [1, 0x37]],
    ['\\377', [255]],
    ['é\\n', [0xc3, 0xa9, 10]],
    ['', []],
  ];
  for (const [text, bytes] of rows) {
    const value = unescaped(text);
    t.deepEqual(value.ok && [...value.value], bytes, text);
  }
});

test('what is no escape is named', (t) => {
  for (const [text, wrong] of [
    ['a\\qb', '\\q'],
    ['a\\', '\\'],
    ['\\xzz', '\\x'],
    ['\\777', '\\777'],
  ] as const)
    t.deepEqual(unescaped(text), { ok: false, error: wrong });
});

test('JSON has text as text, and other bytes in base64', (t) => {
  t.deepEqual(jsonValue(Buffer.from('grün\n\0')), { value: 'grün\n\0' });
  t.deepEqual(jsonValue(Buffer.from([255, 0])), { valueBase64: '/wA=' });
});
