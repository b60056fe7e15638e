import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(import.meta.dirname, '..', 'golden');

/** The part of ava's `t` that a comparison needs. */
export interface Assertions {
  is(actual: string, expected: string): unknown;
}

/** Compares with `cli/golden/<name>.txt`, which FLOTILLA_REWRITE_GOLDEN=1 writes anew. */
export function isGolden(t: Assertions, name: string, text: string): void {
  const file = join(directory, `${name}.txt`);
  if (process.env.FLOTILLA_REWRITE_GOLDEN === '1') writeFileSync(file, `${text}\n`);
  t.is(existsSync(file) ? readFileSync(file, 'utf8') : '', `${text}\n`);
}
