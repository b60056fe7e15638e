import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, type Result } from '../../../../base/result.ts';
import { type Bytes, bytes, formatBytes } from '../../../../base/units.ts';
import { makeExt4 } from './disks.ts';
import { attempt } from './files.ts';

/** A seed is a configuration and a few keys: what is larger was put there by mistake. */
const seedSizeMax = bytes(32 * 2 ** 20);
const seedFilesMax = 1000;

/** A block of the seed's file system, and what a file takes beside its content. */
const blockSize = 1024;
const inodeSize = 256;

/** What an empty ext4 without a journal takes, with room to spare. */
const emptySize = 2 ** 20;

/**
 * Puts the files of a directory into a new, small ext4 in `file`. It holds keys: the file is for this
 * user alone. Links and devices in the directory are refused, since they would bring in what is
 * elsewhere.
 */
export async function makeSeed(directory: string, file: string): Promise<Result<void, string>> {
  const size = await attempt(`the seed ${directory} cannot be read`, () => sizeOf(directory));
  if (!size.ok) return size;
  if (size.value.bytes > seedSizeMax || size.value.files > seedFilesMax)
    return fail(
      `the seed ${directory} has ${size.value.files} files of ${formatBytes(size.value.bytes)}; a guest's own files are at most ${seedFilesMax} of ${formatBytes(seedSizeMax)}`,
    );
  const made = await attempt(`${file} cannot be written`, async () => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await rm(file, { force: true });
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.truncate(emptySize + 2 * size.value.bytes);
    } finally {
      await handle.close();
    }
  });
  if (!made.ok) return made;
  const inodes = String(size.value.files + 64);
  const small = ['-b', String(blockSize), '-I', String(inodeSize), '-N', inodes];
  return makeExt4(file, [...small, '-O', '^has_journal', '-L', 'seed', '-d', directory]);
}

async function sizeOf(directory: string): Promise<{ files: number; bytes: Bytes }> {
  let files = 0;
  let size = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() && !entry.isDirectory())
      throw new Error(`${path} is neither a file nor a directory`);
    files += 1;
    if (files > seedFilesMax) break;
    const content = entry.isFile() ? (await lstat(path)).size : blockSize;
    size += Math.ceil(content / blockSize) * blockSize + inodeSize;
  }
  return { files, bytes: bytes(Math.ceil(size / blockSize) * blockSize) };
}
