import type { Brand } from './brand.ts';
import { fail, ok, type Result } from './result.ts';

/** A size or an amount of memory in bytes: a whole number from 0 to 2^53 - 1. */
export type Bytes = Brand<number, 'Bytes'>;

/** A span of time, or a moment on a clock that the context names, in milliseconds. */
export type Milliseconds = Brand<number, 'Milliseconds'>;

/** Brands a whole number of bytes; the caller has checked that it is one. */
export function bytes(value: number): Bytes {
  return value as Bytes;
}

/** Brands a number of milliseconds. */
export function milliseconds(value: number): Milliseconds {
  return value as Milliseconds;
}

const factors: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/**
 * Reads a size as people write it: `256MiB`, `1GiB`, `1.5G`, `4096`. A bare letter is the binary
 * unit, as `xl` and `lvcreate` read it. The failure is a sentence that names what is accepted.
 */
export function parseBytes(text: string): Result<Bytes, string> {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s*([A-Za-z]{0,3})$/.exec(text.trim());
  const factor = match?.[2] === undefined ? undefined : factors[match[2]];
  if (match === null || factor === undefined)
    return fail(`"${text}" is not a size; write a number and a unit, such as 256MiB or 1GiB`);
  const value = Number(match[1]) * factor;
  if (!Number.isSafeInteger(value))
    return fail(`"${text}" is not a whole number of bytes below 8 PiB`);
  return ok(bytes(value));
}

/** Writes a size for people, in the largest binary unit that keeps it at 1 or more: `1.5 GiB`. */
export function formatBytes(value: Bytes): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let power = 0;
  let rest: number = value;
  while (rest >= 1024 && power < names.length - 1) {
    rest /= 1024;
    power += 1;
  }
  return `${Number.isInteger(rest) ? rest : rest.toFixed(1)} ${names[power]}`;
}
