import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';

/** A payload's first bytes as text, one character a byte: nothing is lost whatever a guest sends. */
export function textOf(bytes: Uint8Array, length = bytes.length): string {
  if (bytes instanceof Buffer) return bytes.toString('latin1', 0, length);
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
}

/** The inverse of `textOf`. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Strings as the protocol sends them: each followed by a NUL. */
export function nulTerminated(...texts: readonly string[]): Uint8Array {
  return bytesOf(texts.length === 0 ? '' : `${texts.join('\0')}\0`);
}

/** Reads a payload that is one string and its NUL; anything else is EINVAL. */
export function readString(payload: Uint8Array): Result<string, XenstoreError> {
  const last = payload.length - 1;
  if (last < 0 || payload.indexOf(0) !== last) return fail('EINVAL');
  return ok(textOf(payload, last));
}

/** The strings of a payload that end with a NUL. What follows the last NUL is reserved, and ignored. */
export function readStrings(payload: Uint8Array): readonly string[] {
  return textOf(payload).split('\0').slice(0, -1);
}

/** Reads one string and what follows its NUL: bytes for WRITE, more strings for SET_PERMS. */
export function readHead(
  payload: Uint8Array,
): Result<{ readonly head: string; readonly rest: Uint8Array }, XenstoreError> {
  const end = payload.indexOf(0);
  if (end < 0) return fail('EINVAL');
  return ok({ head: textOf(payload, end), rest: payload.subarray(end + 1) });
}

const errors = new Map<XenstoreError, Uint8Array>();

/** The payload of ERROR. */
export function errorPayload(error: XenstoreError): Uint8Array {
  let payload = errors.get(error);
  if (payload === undefined) {
    payload = nulTerminated(error);
    errors.set(error, payload);
  }
  return payload;
}
