import * as v from 'valibot';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { bytes } from '../../base/units.ts';
import { serviceNames } from '../records/host.ts';
import { BytesSchema } from '../records/identifiers.ts';
import { Sha256Schema } from './digest.ts';

/** Where an image has its manifest, beside the files that it names. */
export const manifestFile = 'manifest.json';

/** A manifest is read no further than this. Real ones have about 2 KiB. */
export const manifestSize = 2 ** 20;

/** A file of an image: the kernel and the initramfs are tens of MiB. */
const fileSize = bytes(2 ** 32);

/** Ports, devices, privileges and prefixes of one service: real ones have fewer than ten. */
const itemsMax = 64;

/** Options that are on in one kernel's configuration: a distribution's has about 9000. */
const optionsMax = 100_000;

/** The machines that images are built for, as Linux names them. */
export const architectures = ['x86_64', 'aarch64'] as const;
export type Architecture = (typeof architectures)[number];

/** Where a kernel is from. */
export const kernelOrigins = ['cloud', 'generic', 'specialised'] as const;

/** Text on one line. What a terminal would take for a command is refused: it is shown to operators. */
export function line(length: number) {
  return v.pipe(
    v.string(),
    v.maxLength(length, `is longer than ${length} characters`),
    v.regex(/^\P{C}*$/u, 'holds a character that cannot be printed'),
  );
}

function some<Item extends v.GenericSchema>(item: Item) {
  return v.pipe(v.array(item), v.maxLength(itemsMax, `has more than ${itemsMax} items`));
}

/** A file beside the manifest: never a path, so that no manifest names a file elsewhere. */
export const FileNameSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/, 'is not the name of a file beside the manifest'),
);

/** Bytes of a file. */
export const SizeSchema = v.pipe(BytesSchema, v.minValue(bytes(1)), v.maxValue(fileSize));

/**
 * What a guest image is: its files by their digests, how it is started, and what it may do. Version 1
 * of the format; a reader refuses fields and formats that it does not know, since it cannot tell what
 * they would have forbidden.
 */
export const ManifestSchema = v.pipe(
  v.strictObject({
    format: v.literal('flotilla-guest-image/1'),
    service: v.picklist(serviceNames),
    /** Of this software: `0.1.0`. */
    version: v.pipe(line(100), v.minLength(1)),
    architecture: v.picklist(architectures),
    kernel: v.strictObject({
      file: FileNameSchema,
      sha256: Sha256Schema,
      size: SizeSchema,
      /** Debian's cloud kernel, or that for any machine, as it is, or one built for this service alone. */
      origin: v.picklist(kernelOrigins),
      /** What `uname -r` prints. */
      release: v.pipe(line(100), v.minLength(1)),
      /** Options of its configuration that are on, built in or as modules. */
      options: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(optionsMax)),
    }),
    initramfs: v.strictObject({ file: FileNameSchema, sha256: Sha256Schema, size: SizeSchema }),
    /** The kernel's command line: a part of the image, since it decides what the image does. */
    commandLine: line(bounds.kernelCommandLine),
    /** What the domain needs, in bytes. */
    memory: v.pipe(BytesSchema, v.minValue(bounds.vmMemoryMin), v.maxValue(bounds.vmMemoryMax)),
    /** Where it listens. */
    ports: some(
      v.strictObject({
        port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
        protocol: v.literal('tcp'),
        purpose: line(200),
      }),
    ),
    /** Device files that it opens: `/dev/xen/gntdev`. */
    devices: some(line(200)),
    /** What it may do that a guest commonly may not: `xen: xenstore domain`, `linux: CAP_NET_ADMIN`. */
    privileges: some(line(200)),
    /** Keys of the pool database that it uses begin with one of these. */
    databasePrefixes: some(line(200)),
    /** The digest of the configuration that is linked in; null where there is none. */
    configuration: v.nullable(Sha256Schema),
    /** All modules that are linked in, as CycloneDX 1.5 JSON. */
    sbom: v.strictObject({ file: FileNameSchema, sha256: Sha256Schema }),
  }),
  v.check(
    ({ kernel, initramfs, sbom }) =>
      new Set([manifestFile, kernel.file, initramfs.file, sbom.file]).size === 4,
    'names one file twice, or itself',
  ),
);
export type Manifest = v.InferOutput<typeof ManifestSchema>;

/**
 * The bytes of `manifest.json`: JSON that people can read, its fields in the order of the schema, so
 * that one manifest has one digest. The manifest must fit its schema (`checkManifest`).
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(v.parse(ManifestSchema, manifest), null, 2)}\n`);
}

/** A manifest out of parsed JSON. The failure names the first field that is wrong, and how. */
export function checkManifest(json: unknown): Result<Manifest, string> {
  const parsed = v.safeParse(ManifestSchema, json);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  return fail(field === null ? issue.message : `${field}: ${issue.message}`);
}

/**
 * Reads what `encodeManifest` wrote. The failure says what is wrong with the bytes. The same content
 * in another form, with other spaces or a field given twice, is refused: whoever reads it otherwise
 * would see another manifest under the same signature.
 */
export function decodeManifest(encoded: Uint8Array): Result<Manifest, string> {
  return decodeCanonical(encoded, checkManifest, encodeManifest);
}

/** Reads what has one form alone: the bytes have to be those that `encode` writes of what is in them. */
export function decodeCanonical<Value>(
  encoded: Uint8Array,
  check: (json: unknown) => Result<Value, string>,
  encode: (value: Value) => Uint8Array,
): Result<Value, string> {
  if (encoded.byteLength > manifestSize) return fail('it is larger than 1 MiB');
  const json = jsonOf(encoded);
  if (!json.ok) return json;
  const value = check(json.value);
  if (!value.ok) return value;
  if (Buffer.compare(encode(value.value), encoded) !== 0)
    return fail('it is not in the form in which manifests are written: it was changed by hand');
  return value;
}

function jsonOf(encoded: Uint8Array): Result<unknown, string> {
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(encoded)) as unknown);
  } catch (error) {
    return fail(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
