import { createReadStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { fail, ok, type Result } from '../base/result.ts';
import { StoreTlsSchema } from './etcd/tls-files.ts';
import { HostIdSchema, NameSchema } from './records/identifiers.ts';

/** A configuration file is read no further than this. */
const fileSize = 2 ** 20;

/** Members of a pool database that a service knows of. */
const storeMembers = 16;

/** HOST:PORT; an IPv6 host stands in brackets. */
export const AddressSchema = v.pipe(
  v.string(),
  v.regex(/^(\[[0-9a-fA-F:]+\]|[^:[\]/]+):\d{1,5}$/, 'write HOST:PORT, such as 127.0.0.1:7421'),
);

/** Paths of PEM files: the pool's authority, and this service's certificate and key. */
export const TlsSchema = v.strictObject({
  ca: v.string(),
  certificate: v.string(),
  key: v.string(),
});
export type TlsPaths = v.InferOutput<typeof TlsSchema>;

/** Fields that every service's configuration has; spread them into its `v.strictObject`. */
export const commonFields = {
  hostId: HostIdSchema,
  hostName: NameSchema,
  listen: AddressSchema,
  /** Where the members of the pool database serve the etcd API. */
  store: v.pipe(v.array(AddressSchema), v.minLength(1), v.maxLength(storeMembers)),
  /**
   * How the pool database is reached where it is a cluster of etcd with certificates of its own; null
   * is plain text, on loopback addresses only. Left out: as `tls` says.
   */
  storeTls: v.optional(v.nullable(StoreTlsSchema)),
  dataDir: v.string(),
  /** Left out: plain text, on loopback addresses only. */
  tls: v.optional(TlsSchema),
};

/** Adds the flags of the common fields to a service's command. */
export function commonOptions(command: Command): Command {
  return command
    .option('--config <file>', 'a JSON object with the fields below; flags go before it')
    .option('--host-id <uuid>', 'the id of this host in the pool')
    .option('--host-name <name>', 'the name of this host')
    .option('--listen <host:port>', 'where to serve; port 0 takes a free one')
    .option('--store <url>', 'the pool database: etcd://HOST:PORT,HOST:PORT', parseStore)
    .option('--store-ca <file>', "the authority of that etcd, where it is not the pool's (PEM)")
    .option('--store-certificate <file>', 'what that etcd is shown, where it asks (PEM)')
    .option('--store-key <file>', 'the private key of that (PEM)')
    .option('--store-plain-text', 'speak plain text to that etcd, on loopback addresses only')
    .option('--data-dir <directory>', 'where to keep state')
    .option('--tls-ca <file>', "the pool's certificate authority (PEM)")
    .option('--tls-certificate <file>', "this service's certificate (PEM)")
    .option('--tls-key <file>', "this service's private key (PEM)");
}

/** Reads the value of `--store`. */
export function parseStore(text: string): string[] {
  const match = /^(?:etcd:\/\/)?([^/]+)\/?$/.exec(text);
  const addresses = match?.[1]?.split(',') ?? [];
  if (addresses.length === 0 || !addresses.every((address) => v.is(AddressSchema, address)))
    throw new InvalidArgumentError('Write etcd://HOST:PORT, with a comma between several members.');
  return addresses;
}

/**
 * A service's configuration: the fields of the file that the flag `config` names, with flags before
 * them. Relative paths of `dataDir`, `tls` and `storeTls` in the file are relative to the file. The failure is
 * text for the operator that names the file, each wrong field, and what to write.
 */
export async function readConfiguration<Configuration>(
  schema: v.GenericSchema<unknown, Configuration>,
  flags: Readonly<Record<string, unknown>>,
): Promise<Result<Configuration, string>> {
  const { config, tlsCa, tlsCertificate, tlsKey, ...more } = flags;
  const { storeCa, storeCertificate, storeKey, storePlainText, ...others } = more;
  const file = typeof config === 'string' ? config : null;
  const read = file === null ? ok<Fields>({}) : await readFields(file);
  if (!read.ok) return read;
  const tls = definedOf({ ca: tlsCa, certificate: tlsCertificate, key: tlsKey });
  const storeTls = definedOf({ ca: storeCa, certificate: storeCertificate, key: storeKey });
  const merged: Fields = { ...read.value, ...definedOf(others) };
  if (Object.keys(tls).length > 0) merged.tls = { ...fieldsOf(read.value.tls), ...tls };
  if (Object.keys(storeTls).length > 0)
    merged.storeTls = { ...fieldsOf(read.value.storeTls), ...storeTls };
  else if (storePlainText === true) merged.storeTls = null;
  const parsed = v.safeParse(schema, merged);
  if (parsed.success) return ok(parsed.output);
  const where = file === null ? 'the flags' : `${file} and the flags`;
  return fail([`the configuration is wrong (${where}):`, ...problemsOf(parsed.issues)].join('\n'));
}

type Fields = Record<string, unknown>;

async function readFields(file: string): Promise<Result<Fields, string>> {
  const text = await readBounded(file);
  if (!text.ok) return text;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson()), text.value);
  if (!parsed.success)
    return fail(
      `${file} is not JSON: ${v.summarize(parsed.issues)}\nWas it written in full? Write a JSON object into it.`,
    );
  const fields = parsed.output;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    return fail(
      `${file} does not hold a JSON object\nWrite { "hostName": "host-1", ... } into it.`,
    );
  return ok(withPathsFrom(dirname(file), { ...fields }));
}

async function readBounded(file: string): Promise<Result<string, string>> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(file, { end: fileSize })) chunks.push(chunk);
    const text = Buffer.concat(chunks);
    if (text.length > fileSize) return fail(`${file} is larger than 1 MiB: it is no configuration`);
    return ok(text.toString('utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(`${file} cannot be read: ${why}\nName a file that this user may read.`);
  }
}

function withPathsFrom(directory: string, fields: Fields): Fields {
  const absolute = (value: unknown) =>
    typeof value === 'string' ? resolve(directory, value) : value;
  const paths = (name: string): Fields => {
    const files = Object.entries(fieldsOf(fields[name]));
    if (files.length === 0) return {};
    return { [name]: Object.fromEntries(files.map(([field, at]) => [field, absolute(at)])) };
  };
  return {
    ...fields,
    ...('dataDir' in fields ? { dataDir: absolute(fields.dataDir) } : {}),
    ...paths('tls'),
    ...paths('storeTls'),
  };
}

function problemsOf(issues: readonly v.BaseIssue<unknown>[]): string[] {
  return issues.map((issue) => {
    const path = v.getDotPath(issue) ?? 'the object';
    const flag = path
      .replaceAll('.', '-')
      .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return issue.received === 'undefined'
      ? `  ${path}: is missing; write it into the file, or give --${flag}`
      : `  ${path}: ${issue.message}`;
  });
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function definedOf(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
