import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { Sha256Schema } from './digest.ts';
import { architectures, decodeCanonical, FileNameSchema, line, SizeSchema } from './manifest.ts';

/** Where a host image has its manifest, and the signature of it, beside the files that it names. */
export const hostManifestFile = 'host.json';
export const hostSignatureFile = 'host.json.sig';

/** What a file of a host image is for. The control domain's manifest names its kernel and its initramfs. */
export const hostFileRoles = [
  'hypervisor',
  'control domain',
  'guest images',
  'boot entry',
] as const;
export type HostFileRole = (typeof hostFileRoles)[number];

/** The guests that a host starts by itself, in their order. */
export const hostGuests = ['xenstore', 'consensus', 'network', 'storage'] as const;

/**
 * What a host image is: its hypervisor, its control domain, its guests and how all is started. Version 1 of
 * the format; a reader refuses fields and formats that it does not know.
 */
const HostManifestSchema = v.strictObject({
  format: v.literal('flotilla-host-image/1'),
  /** Of this software. */
  version: v.pipe(line(100), v.minLength(1)),
  architecture: v.picklist(architectures),
  /** The release of the hypervisor, as its package is called. */
  xen: v.pipe(line(100), v.minLength(1)),
  files: v.pipe(
    v.array(
      v.strictObject({
        role: v.picklist(hostFileRoles),
        file: FileNameSchema,
        sha256: Sha256Schema,
        size: SizeSchema,
      }),
    ),
    v.check(
      (files) =>
        files.length === hostFileRoles.length &&
        files.every(({ role }, index) => role === hostFileRoles[index]),
      `has not a file each of ${hostFileRoles.join(', ')}`,
    ),
  ),
  /** The digests of the manifests of its guests' images. */
  guests: v.strictObject({
    xenstore: Sha256Schema,
    consensus: Sha256Schema,
    network: Sha256Schema,
    storage: Sha256Schema,
  }),
});
export type HostManifest = v.InferOutput<typeof HostManifestSchema>;

/** The bytes of `host.json`. The manifest must fit its schema. */
export function encodeHostManifest(manifest: HostManifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(v.parse(HostManifestSchema, manifest), null, 2)}\n`);
}

/** Reads what `encodeHostManifest` wrote, in that one form. The failure says what is wrong with the bytes. */
export function decodeHostManifest(encoded: Uint8Array): Result<HostManifest, string> {
  return decodeCanonical(encoded, check, encodeHostManifest);
}

function check(json: unknown): Result<HostManifest, string> {
  const parsed = v.safeParse(HostManifestSchema, json);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  return fail(field === null ? issue.message : `${field}: ${issue.message}`);
}
