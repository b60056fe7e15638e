import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Brand } from '../../base/brand.ts';

/** A SHA-256 (FIPS 180-4) as 64 hexadecimal digits in lower case. */
export type Sha256 = Brand<string, 'Sha256'>;

/** A SHA-256 as manifests and records hold it. */
export const Sha256Schema = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/, 'is not a SHA-256: 64 hexadecimal digits in lower case'),
  v.transform((text) => text as Sha256),
);

/** The SHA-256 of these bytes; of a text, of its UTF-8. */
export function sha256Of(content: Uint8Array | string): Sha256 {
  return createHash('sha256').update(content).digest('hex') as Sha256;
}
