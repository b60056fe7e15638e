import { chmod, copyFile, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
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
 * Puts the files of a directory into a new, small ext4 in `file`. It holds keys: on this host the file
 * is for this user alone. In the guest its one service may read all of it, whatever the modes here are.
 * Links and devices are refused, since they would bring in what is elsewhere.
 */
export async function makeSeed(directory: string, file: string): Promise<Result<void, string>> {
  const staged = `${file}.files`;
  try {
    const copied = await attempt(`the seed ${directory} cannot be read`, async () => {
      await rm(staged, { recursive: true, force: true });
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      return copySeed(directory, staged);
    });
    if (!copied.ok) return copied;
    const { files, size } = copied.value;
    if (size > seedSizeMax || files > seedFilesMax)
      return fail(
        `the seed ${directory} has ${files} files of ${formatBytes(size)} or more; a guest's own files are at most ${seedFilesMax} of ${formatBytes(seedSizeMax)}`,
      );
    const made = await attempt(`${file} cannot be written`, () =>
      makeFile(file, bytes(emptySize + 2 * size)),
    );
    if (!made.ok) return made;
    const inodes = ['-I', String(inodeSize), '-N', String(files + 64)];
    const small = ['-b', String(blockSize), ...inodes, '-O', '^has_journal'];
    return await makeExt4(file, [...small, '-L', 'seed', '-d', staged]);
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

/** A new file of this size, for this user alone. */
async function makeFile(file: string, size: Bytes): Promise<void> {
  await rm(file, { force: true });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.truncate(size);
  } finally {
    await handle.close();
  }
}

/**
 * Copies the files of a seed into `staged`, whose parent only this user may enter, with the modes that
 * they have in the guest. It stops at what is too much, and tells how much it was till there.
 */
async function copySeed(
  directory: string,
  staged: string,
): Promise<{ readonly files: number; readonly size: Bytes }> {
  let files = 0;
  let size = 0;
  await mkdir(staged);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    const to = join(staged, relative(directory, from));
    if (!entry.isFile() && !entry.isDirectory())
      throw new Error(`${from} is neither a file nor a directory`);
    const content = entry.isFile() ? (await stat(from)).size : blockSize;
    files += 1;
    size += Math.ceil(content / blockSize) * blockSize + inodeSize;
    if (files > seedFilesMax || size > seedSizeMax) break;
    await mkdir(entry.isFile() ? dirname(to) : to, { recursive: true });
    if (!entry.isFile()) continue;
    await copyFile(from, to);
    await chmod(to, 0o444);
  }
  return { files, size: bytes(Math.ceil(size / blockSize) * blockSize) };
}
