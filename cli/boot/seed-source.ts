import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, replaceFile } from '../../base/durable-file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { ImageKey } from '../../pool/images/keys.ts';
import { decodeSeed, type HostSeed, type SignedSeed, seedSizeMax } from '../host-seed/seed.ts';

/** The word of the kernel's command line that names the disk with the seed: `flotilla.host-seed=/dev/vdb`. */
const word = 'flotilla.host-seed=';

/** Where a seed may come from. */
export interface SeedSources {
  /** The kernel's command line. */
  readonly commandLine: string;
  /** The seed that the host took last. */
  readonly kept: string;
}

/** What this host is to look at, of its kernel's own words. */
export async function seedSources(kept: string): Promise<SeedSources> {
  return { commandLine: await readFile('/proc/cmdline', 'utf8'), kept };
}

/**
 * The seed that this host goes by: that of its disk, which is kept, or else the one that was kept. Either has
 * to be signed with the key. The failure is a sentence that says what is wrong and what to do.
 */
export async function takeSeed(
  { commandLine, kept }: SeedSources,
  key: ImageKey,
): Promise<Result<HostSeed, string>> {
  const disk = commandLine
    .split(/\s+/)
    .find((each) => each.startsWith(word))
    ?.slice(word.length);
  const before = await readSeed(kept, key);
  if (disk === undefined)
    return before.ok ? ok(before.value.seed) : fail(noSeed(before.error, key));
  const found = await readSeed(disk, key);
  if (!found.ok) {
    // A host whose seed's disk was taken out goes on with what it has; a wrong one is told, not passed over.
    if (found.error.code === 'missing' && before.ok) return ok(before.value.seed);
    return fail(noSeed(found.error, key));
  }
  const fits = before.ok ? follows(found.value.seed, before.value.seed) : ok(undefined);
  if (!fits.ok) return fits;
  await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
  await replaceFile(kept, found.value.bytes);
  return ok(found.value.seed);
}

interface Unread {
  readonly code: 'missing' | 'blank' | 'untrusted' | 'changed' | 'wrong';
  readonly sentence: string;
}

async function readSeed(path: string, key: ImageKey): Promise<Result<SignedSeed, Unread>> {
  const bytes = await beginningOf(path);
  if (!bytes.ok) return bytes;
  const seed = decodeSeed(bytes.value, key);
  if (!seed.ok) return fail({ code: seed.error.code, sentence: `${path} ${seed.error.why}` });
  return seed;
}

/** As much of a file or a disk as a seed can have. */
async function beginningOf(path: string): Promise<Result<Buffer, Unread>> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(seedSizeMax);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return ok(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      return fail({ code: 'missing', sentence: `${path} is not there` });
    return fail({ code: 'blank', sentence: `${path} cannot be read: ${String(error)}` });
  }
}

/** Whether a host that has one seed may go on with another. */
function follows(seed: HostSeed, before: HostSeed): Result<void, string> {
  if (seed.pool.id !== before.pool.id || seed.host !== before.host)
    return fail(
      `the seed is of ${seed.host} of pool ${seed.pool.id}, and the data disk is of ${before.host} of pool ${before.pool.id}; give the host its own seed, or another data disk`,
    );
  if (seed.made < before.made)
    return fail(
      `the seed was made at ${new Date(seed.made).toISOString()}, and this host has had one of ${new Date(before.made).toISOString()}; make a new one with flotilla host seed`,
    );
  return ok(undefined);
}

function noSeed({ code, sentence }: Unread, key: ImageKey): string {
  switch (code) {
    case 'missing':
    case 'blank':
      return `${sentence}: make a seed with flotilla host seed, write it to a disk of this host, and name the disk with ${word}DEVICE on the kernel's command line`;
    case 'untrusted':
      return `${sentence}: this image takes seeds of key ${key.id}; sign the seed with that key, or build the image with the other`;
    case 'changed':
      return `${sentence}: write the seed to its disk again, as flotilla host seed made it`;
    case 'wrong':
      return `${sentence}: make the seed with the flotilla that this image was built of`;
  }
}
