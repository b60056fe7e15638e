import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import type { ImageKey, SigningKey } from '../../pool/images/keys.ts';
import { distrustText, SignatureSchema, signAs, verifyAs } from '../../pool/images/signature.ts';
import { NameSchema } from '../../pool/records/identifiers.ts';
import { GuestAddressSchema, PoolChoiceSchema } from '../up/choice.ts';
import type { PoolChoice } from '../up/pool-choice.ts';

/**
 * The seed of a host: what a host image is told at its boot, and by nothing else: its pool, who it is, its
 * addresses. It is a file that is put onto a disk as it is, without a file system, so that nothing of it is
 * looked at, by the kernel neither, before its signature: a line of JSON with the signature and the size of
 * what follows, the content as JSON, and zeros up to a whole number of blocks.
 */

/** Bytes of a seed: some 20 KiB are keys and certificates. No more is read of a disk. */
export const seedSizeMax = 2 ** 20;

/** The first line has about 250 bytes. */
const headSizeMax = 4096;

/** Disks are read and written by whole blocks. */
const blockSize = 4096;

const filesMax = 32;

/** A key or a chain of certificates in PEM. */
const PemSchema = v.pipe(v.string(), v.maxLength(64 * 2 ** 10), v.startsWith('-----BEGIN '));

/** Names as `pool/identity/files.ts` gives them: never a path. */
const PemNameSchema = v.pipe(v.string(), v.regex(/^[a-z][a-z-]{0,62}\.pem$/, 'is no NAME.pem'));

const SeedSchema = v.strictObject({
  format: v.literal('flotilla-host-seed/1'),
  /** When it was made, in milliseconds since 1970: a host takes none that is older than the one it has. */
  made: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** The name of the host whose it is; the pool's choice has the rest. */
  host: NameSchema,
  /** The network of its bridge. */
  network: v.strictObject({
    address: GuestAddressSchema,
    gateway: v.nullable(v.pipe(v.string(), v.ipv4())),
  }),
  pool: PoolChoiceSchema,
  /** The identities of its services: names of files, and what is in them. */
  identity: v.pipe(
    v.record(PemNameSchema, PemSchema),
    v.check((files) => Object.keys(files).length <= filesMax, `has more than ${filesMax} files`),
  ),
});
export interface HostSeed extends Omit<v.InferOutput<typeof SeedSchema>, 'pool' | 'identity'> {
  readonly pool: PoolChoice;
  readonly identity: Readonly<Record<string, string>>;
}

const HeadSchema = v.strictObject({
  size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(seedSizeMax)),
  signature: SignatureSchema,
});

/** Why a disk's content is not taken for a seed. */
export interface SeedFault {
  /**
   * `blank`: it holds no seed. `untrusted`: another key signed it. `changed`: it is not what was signed.
   * `wrong`: it was signed, and says what this image does not know.
   */
  readonly code: 'blank' | 'untrusted' | 'changed' | 'wrong';
  /** A clause that follows the name of where it was found. */
  readonly why: string;
}

/** The bytes of a seed, signed: what is written to a disk. The failure says which bound it exceeds. */
export function encodeSeed(seed: HostSeed, key: SigningKey): Result<Uint8Array, string> {
  const checked = v.safeParse(SeedSchema, seed);
  if (!checked.success) return fail(describe(checked.issues));
  const content = Buffer.from(`${JSON.stringify(checked.output)}\n`);
  const signature = signAs('host seed', content, key);
  const head = Buffer.from(`${JSON.stringify({ size: content.byteLength, signature })}\n`);
  const size = Math.ceil((head.byteLength + content.byteLength) / blockSize) * blockSize;
  if (size > seedSizeMax) return fail(`it would be larger than ${seedSizeMax} bytes`);
  return ok(Buffer.concat([head, content, Buffer.alloc(size)]).subarray(0, size));
}

/** A seed, and the bytes of which it was read: without what the disk has after it. */
export interface SignedSeed {
  readonly seed: HostSeed;
  readonly bytes: Uint8Array;
}

/** Reads the seed that a disk begins with. What is signed is read only once the signature is good. */
export function decodeSeed(disk: Uint8Array, trusted: ImageKey): Result<SignedSeed, SeedFault> {
  const bytes = Buffer.from(disk.buffer, disk.byteOffset, Math.min(disk.byteLength, seedSizeMax));
  const end = bytes.subarray(0, headSizeMax).indexOf('\n');
  const head = v.safeParse(
    v.pipe(v.string(), v.parseJson(), HeadSchema),
    bytes.toString('latin1', 0, Math.max(0, end)),
  );
  if (!head.success) return fail({ code: 'blank', why: 'holds no seed' });
  const { size, signature } = head.output;
  const content = bytes.subarray(end + 1, end + 1 + size);
  if (content.byteLength < size)
    return fail({ code: 'changed', why: 'holds a seed that was cut short' });
  const signer = verifyAs('host seed', content, signature, [trusted]);
  if (!signer.ok)
    return fail({
      code: signer.error.kind === 'unknown-key' ? 'untrusted' : 'changed',
      why: `holds a seed that ${distrustText(signer.error)}`,
    });
  const seed = v.safeParse(v.pipe(v.string(), v.parseJson(), SeedSchema), content.toString());
  if (!seed.success)
    return fail({ code: 'wrong', why: `holds a seed that is wrong: ${describe(seed.issues)}` });
  if (!seed.output.pool.hosts.some(({ name }) => name === seed.output.host))
    return fail({ code: 'wrong', why: `holds a seed of a pool without ${seed.output.host}` });
  return ok({ seed: seed.output, bytes: bytes.subarray(0, end + 1 + size) });
}

function describe([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  return `${v.getDotPath(issue) ?? 'the content'}: ${issue.message}`;
}
