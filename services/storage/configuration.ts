import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { commonFields } from '../../pool/configuration.ts';
import { NameSchema } from '../../pool/records/identifiers.ts';

/** SRs of one host. */
const srsBound = 16;

const SrSchema = v.strictObject({
  /** Unique in the pool. */
  name: NameSchema,
  /** The folder of its images; made on first start. */
  path: v.pipe(v.string(), v.startsWith('/', 'write an absolute path')),
});

/** The configuration of `flotilla storage`. */
export const StorageConfigurationSchema = v.strictObject({
  ...commonFields,
  /** The SRs of this host; a host without any still answers for those of others. */
  srs: v.optional(
    v.pipe(
      v.array(SrSchema),
      v.maxLength(srsBound),
      v.check((srs) => isUnique(srs.map(({ name }) => name)), 'two SRs have one name'),
      v.check((srs) => isUnique(srs.map(({ path }) => resolve(path))), 'two SRs have one path'),
    ),
    [],
  ),
  /** How a backend gets a disk: as a loop device, or as the file, where domains are simulated. */
  attach: v.optional(
    v.picklist(['loop', 'file'], 'write "loop" (Xen) or "file" (simulated domains)'),
    'loop',
  ),
});
export type StorageConfiguration = v.InferOutput<typeof StorageConfigurationSchema>;

function isUnique(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}

/** Reads one `--srs NAME=PATH` and adds it to those before. */
export function addSr(
  text: string,
  earlier: StorageConfiguration['srs'] = [],
): StorageConfiguration['srs'] {
  const [name, ...rest] = text.split('=');
  const path = rest.join('=');
  if (name === undefined || name === '' || path === '')
    throw new InvalidArgumentError('Write NAME=PATH, such as local-1=/var/lib/flotilla/sr.');
  return [...earlier, { name, path: resolve(path) }];
}
