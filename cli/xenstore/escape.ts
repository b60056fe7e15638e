import { fail, ok, type Result } from '../../base/result.ts';

/** The bytes that are written as one letter after a backslash. */
const letters: ReadonlyMap<number, string> = new Map([
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0d, 'r'],
  [0x5c, '\\'],
]);
const bytesOfLetters: ReadonlyMap<string, number> = new Map(
  [...letters].map(([byte, letter]) => [letter, byte]),
);

/**
 * A value of any bytes on one line of ASCII, as Xen's own tools write it (`sanitise_value` in
 * tools/xenstore/xs_lib.c): `\t`, `\n`, `\r`, `\\`; three octal digits below 8; `\x` and two others.
 */
export function escaped(value: Uint8Array): string {
  let text = '';
  for (const byte of value) {
    const letter = letters.get(byte);
    if (letter !== undefined) text += `\\${letter}`;
    else if (byte >= 0x20 && byte <= 0x7e) text += String.fromCharCode(byte);
    else if (byte < 8) text += `\\${byte.toString(8).padStart(3, '0')}`;
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

/** What stands after a backslash: a letter, `x` and up to two digits, or up to three octal digits. */
const escapeForm = /^(?:([tnr\\])|x([0-9a-fA-F]{1,2})|([0-7]{1,3}))/;

/** The bytes of such text; other characters are UTF-8. The failure is the escape that is none. */
export function unescaped(text: string): Result<Uint8Array, string> {
  const parts: Buffer[] = [];
  let rest = text;
  for (let at = rest.indexOf('\\'); at >= 0; at = rest.indexOf('\\')) {
    const after = rest.slice(at + 1);
    const match = escapeForm.exec(after);
    if (match === null) return fail(`\\${after.slice(0, 1)}`);
    const [whole, letter, hexadecimal, octal = '0'] = match;
    const digits =
      hexadecimal === undefined ? Number.parseInt(octal, 8) : parseInt(hexadecimal, 16);
    const byte = letter === undefined ? digits : (bytesOfLetters.get(letter) ?? 0);
    if (byte > 0xff) return fail(`\\${whole}`);
    parts.push(Buffer.from(rest.slice(0, at)), Buffer.of(byte));
    rest = after.slice(whole.length);
  }
  parts.push(Buffer.from(rest));
  return ok(Buffer.concat(parts));
}

/** A value in JSON: `value` where it is UTF-8, else `valueBase64`. Nothing is lost either way. */
export type JsonValue = { readonly value: string } | { readonly valueBase64: string };

/** See `JsonValue`. */
export function jsonValue(value: Uint8Array): JsonValue {
  const text = Buffer.from(value).toString();
  return Buffer.from(text).equals(value)
    ? { value: text }
    : { valueBase64: Buffer.from(value).toString('base64') };
}
