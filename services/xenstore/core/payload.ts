import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';

/** At most a payload's bytes as text, one character a byte: nothing is lost whatever a guest sends. */
export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The inverse of `textOf`. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Strings as the protocol sends them: each followed by a NUL. */
export function nulTerminated(...texts: readonly string[]): Uint8Array {
  return bytesOf(texts.map((text) => `${text}\0`).join(''));
}

/** Reads exactly `count` strings that are each followed by a NUL; anything else is EINVAL. */
export function readStrings(
  payload: Uint8Array,
  count: number,
): Result<readonly string[], XenstoreError> {
  const strings = textOf(payload).split('\0');
  return strings.length === count + 1 && strings.at(-1) === ''
    ? ok(strings.slice(0, count))
    : fail('EINVAL');
}

/** Reads one string and what follows its NUL: bytes for WRITE, more strings for SET_PERMS. */
export function readHead(
  payload: Uint8Array,
): Result<{ readonly head: string; readonly rest: Uint8Array }, XenstoreError> {
  const end = payload.indexOf(0);
  if (end < 0) return fail('EINVAL');
  return ok({ head: textOf(payload.subarray(0, end)), rest: payload.subarray(end + 1) });
}
