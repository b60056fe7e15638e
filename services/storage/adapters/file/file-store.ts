import { lstat, open, readdir, realpath, rename, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { errnoOf, removeFile, syncDirectory } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Bytes, bytes, formatBytes } from '../../../../base/units.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { type VdiId, VdiIdSchema } from '../../../../pool/records/identifiers.ts';
import { hasRoom } from '../../core/choice.ts';
import type { Image, Space, VdiStore } from '../vdi-store.ts';
import { attempt } from './failures.ts';

/** `<id>.raw` is an image; `<id>.raw.making` and `<id>.raw.deleting` are not one yet, or no more. */
const suffix = '.raw';
const making = '.making';
const deleting = '.deleting';

/**
 * Opens the images of an SR that is a folder: one raw, sparse file each. What a crash left half made
 * or half deleted is removed. One process has the folder open at a time.
 */
export async function openFileStore(directory: string): Promise<Result<VdiStore, Failure>> {
  return attempt('open the SR', directory, async () => {
    const path = await realpath(directory);
    await removeLeftovers(path);
    return fileStore(path);
  });
}

async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const image = [making, deleting].find((ending) => name.endsWith(`${suffix}${ending}`));
    if (image !== undefined) await removeFile(join(directory, name));
  }
}

function fileStore(directory: string): VdiStore {
  const pathOf = (id: VdiId) => join(directory, `${id}${suffix}`);

  const space = (): Promise<Result<Space, Failure>> =>
    attempt('see what is free', directory, async () => {
      const { bsize, blocks, bavail } = await statfs(directory);
      return { physicalSize: bytes(blocks * bsize), physicalFree: bytes(bavail * bsize) };
    });

  const find = async (id: VdiId): Promise<Result<Image | null, Failure>> => {
    const checked = checkId(id);
    if (!checked.ok) return checked;
    const path = pathOf(id);
    const status = await attempt('look at an image', path, () => statusOf(path));
    if (!status.ok) return status;
    if (status.value === null) return ok(null);
    if (!status.value.isFile()) return fail(notAnImage(path));
    return ok({ id, path, virtualSize: bytes(status.value.size) });
  };

  const create = async (id: VdiId, virtualSize: Bytes): Promise<Result<Image, Failure>> => {
    const found = await find(id);
    if (!found.ok) return found;
    const path = pathOf(id);
    const image = ok({ id, path, virtualSize });
    if (found.value !== null) {
      if (found.value.virtualSize !== virtualSize) return fail(otherSize(found.value, virtualSize));
      // Whoever made it may have crashed before its name was on the disk.
      const synced = await attempt('make an image', directory, () => syncDirectory(directory));
      return synced.ok ? image : synced;
    }
    const room = await space();
    if (!room.ok) return room;
    if (!hasRoom(room.value.physicalFree, virtualSize))
      return fail(noSpace(directory, room.value.physicalFree, virtualSize));
    const made = await attempt(`make an image of ${formatBytes(virtualSize)}`, directory, () =>
      makeSparseFile(path, virtualSize),
    );
    return made.ok ? image : made;
  };

  const remove = async (id: VdiId): Promise<Result<void, Failure>> => {
    const checked = checkId(id);
    if (!checked.ok) return checked;
    const path = pathOf(id);
    return attempt('delete an image', directory, async () => {
      // The name goes first and at once: unlinking a large file can take a while.
      await rename(path, `${path}${deleting}`).catch(ignoreMissing);
      await syncDirectory(directory);
      await unlink(`${path}${deleting}`).catch(ignoreMissing);
    });
  };

  const list = async (): Promise<Result<readonly Image[], Failure>> => {
    const names = await attempt('list the images', directory, () => readdir(directory));
    if (!names.ok) return names;
    const images: Image[] = [];
    for (const name of names.value.sort()) {
      if (!name.endsWith(suffix)) continue;
      const id = v.safeParse(VdiIdSchema, name.slice(0, -suffix.length));
      if (!id.success) continue;
      const image = await find(id.output);
      if (!image.ok) return image;
      if (image.value !== null) images.push(image.value);
    }
    return ok(images);
  };

  return { directory, create, find, remove, list, space };
}

/**
 * Makes a file of zeros that takes no space. It is made aside, put on the disk, and then named, so
 * that it is never seen with another size.
 */
async function makeSparseFile(path: string, size: Bytes): Promise<void> {
  const aside = `${path}${making}`;
  try {
    const file = await open(aside, 'w', 0o600);
    try {
      await file.truncate(size);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    // Why it could not be made is worth more than why it could not be cleared away.
    await unlink(aside).catch(() => undefined);
    throw error;
  }
}

async function statusOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

/** The last line of defence: whatever the caller did, a file's name is never anything but an id. */
function checkId(id: VdiId): Result<void, Failure> {
  if (v.is(VdiIdSchema, id)) return ok(undefined);
  return fail({
    reason: 'INVALID_FIELD',
    message: `${JSON.stringify(id)} is not the id of a VDI`,
    remedy: 'Give a UUID of 36 characters in lower case.',
    field: 'vdi',
  });
}

function notAnImage(path: string): Failure {
  return {
    reason: 'STORAGE',
    message: `${path} is not a regular file, so it is not used as an image`,
    remedy: 'Find out who put it there, and move it away.',
  };
}

function otherSize(image: Image, wanted: Bytes): Failure {
  return {
    reason: 'STORAGE',
    message: `${image.path} exists with ${image.virtualSize} bytes instead of ${wanted}`,
    remedy: 'Make the disk under a new id; see what made this file before deleting it.',
  };
}

function noSpace(directory: string, free: Bytes, wanted: Bytes): Failure {
  return {
    reason: 'NO_SPACE',
    message: `an image of ${formatBytes(wanted)} does not fit into ${directory}: ${formatBytes(free)} are free`,
    remedy: 'Ask for a smaller disk, delete what is not needed, or choose another SR.',
    field: 'virtual_size',
  };
}
