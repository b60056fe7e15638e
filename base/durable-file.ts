import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What is added to a file's name while its next content is being written. */
const asideSuffix = '.writing';

/**
 * Makes `path` hold `content`, for good: whoever reads it, also after a loss of power at any instant,
 * finds the old content or the new one, whole. It is written aside, put on the disk, renamed, and
 * the folder is put on the disk too. One writer a path. Rejects with the system's error.
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const aside = `${path}${asideSuffix}`;
  const file = await open(aside, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  await syncDirectory(dirname(path));
}

/** Removes a file for good; one that is not there is removed already. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  await syncDirectory(dirname(path));
}

/** Puts a folder on the disk: the names in it, not what they name. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The system's name of an error (`ENOSPC`); null for an error that is not the system's. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : null;
}
