import type { Brand } from '../../base/brand.ts';

/**
 * Bytes held as a string: each character is one byte (Latin-1). V8 keeps such a string in one byte
 * per character beside a header of 16 bytes, where a Buffer costs some 200; it orders them as bytes
 * are ordered, and hashes them, which a Buffer cannot do at all. Keys and values are of this type.
 */
export type ByteString = Brand<string, 'ByteString'>;

/** No bytes. */
export const emptyBytes = '' as ByteString;

/** Copies bytes into a `ByteString`. */
export function byteString(bytes: Uint8Array): ByteString {
  if (bytes.length === 0) return emptyBytes;
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1') as ByteString;
}

/** The UTF-8 bytes of a text. */
export function textBytes(text: string): ByteString {
  return byteString(Buffer.from(text, 'utf8'));
}

/** Copies a `ByteString` back into bytes. */
export function bufferOf(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** The least key that is greater than `key`. */
export function nextKey(key: ByteString): ByteString {
  return `${key}\0` as ByteString;
}

/**
 * The least key that is greater than every key with this prefix, or null where there is none:
 * where the prefix is empty or all its bytes are 0xff.
 */
export function prefixEnd(prefix: ByteString): ByteString | null {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    const code = prefix.charCodeAt(at);
    if (code < 0xff) return `${prefix.slice(0, at)}${String.fromCharCode(code + 1)}` as ByteString;
  }
  return null;
}
