import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { bytes } from '../../../../base/units.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { FoundFile } from '../../../../pool/images/differences.ts';
import type { Sha256 } from '../../../../pool/images/digest.ts';
import { Turns } from '../turns.ts';

/** Read and written at once: large enough for the disk, small beside what else the service holds. */
const chunkSize = 2 ** 20;

/** Nothing that boots is larger: a kernel with its initramfs has tens of MiB. */
const fileSizeMax = 2 ** 32;

/** The private copy of a boot file, and what it holds. */
export interface BootCopy extends FoundFile {
  readonly path: string;
}

/** Copies of the boot files of one domain. */
export interface CopiedFiles {
  readonly kernel: BootCopy | null;
  readonly ramdisk: BootCopy | null;
  /** Removes them: the hypervisor has read them. */
  release(): Promise<void>;
}

/** Makes private copies of boot files; one domain's at a time, so that few are there at once. */
export interface BootCopies {
  /** Null stands for no file. A file that cannot be read is a failure (BOOT_FILE). */
  take(files: {
    readonly kernel: string | null;
    readonly ramdisk: string | null;
  }): Promise<Result<CopiedFiles, Failure>>;
}

/**
 * What is hashed must be what is booted. An open file does not give that: whoever may write to the
 * file changes what the hypervisor reads after it was hashed. So the bytes are copied into a folder
 * that only this service may enter, hashed on their way, and the hypervisor is handed the copy.
 * What an earlier process left in the folder is removed.
 */
export async function openBootCopies(
  folder: string,
  host: string,
): Promise<Result<BootCopies, Failure>> {
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    return fail(cannotCopy(folder, error));
  }
  const turns = new Turns();
  return ok({
    take: ({ kernel, ramdisk }) =>
      turns.take(async () => {
        const own = join(folder, randomUUID());
        const release = () => rm(own, { recursive: true, force: true });
        try {
          await mkdir(own, { mode: 0o700 });
        } catch (error) {
          return fail(cannotCopy(own, error));
        }
        const copies: { kernel: BootCopy | null; ramdisk: BootCopy | null } = {
          kernel: null,
          ramdisk: null,
        };
        for (const [role, path] of [
          ['kernel', kernel],
          ['ramdisk', ramdisk],
        ] as const) {
          if (path === null) continue;
          // The copy is called what the file is called: a refusal of the hypervisor names it.
          const copied = await copyFile(path, join(own, `${role}-${basename(path)}`), host);
          if (!copied.ok) {
            await release();
            return copied;
          }
          copies[role] = copied.value;
        }
        return ok({ ...copies, release });
      }),
  });
}

async function copyFile(
  from: string,
  to: string,
  host: string,
): Promise<Result<BootCopy, Failure>> {
  let source: FileHandle;
  try {
    // A FIFO would wait for somebody who writes into it.
    source = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return fail(cannotRead(from, host, whyOf(error)));
  }
  try {
    const found = await source.stat();
    if (!found.isFile()) return fail(cannotRead(from, host, 'it is not a file'));
    if (found.size > fileSizeMax) return fail(cannotRead(from, host, 'it is larger than 4 GiB'));
    const target = await open(to, 'wx', 0o600);
    try {
      return ok({ path: to, ...(await pour(source, target)) });
    } catch (error) {
      return fail(cannotCopy(to, error));
    } finally {
      await target.close();
    }
  } catch (error) {
    return fail(cannotCopy(to, error));
  } finally {
    await source.close();
  }
}

/** Copies to the end; the digest and the size are of what was written. */
async function pour(source: FileHandle, target: FileHandle): Promise<FoundFile> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkSize);
  let size = 0;
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    await target.writeFile(chunk);
    size += bytesRead;
    if (size > fileSizeMax) throw new Error('the file grew beyond 4 GiB while it was read');
  }
  return { sha256: hash.digest('hex') as Sha256, size: bytes(size) };
}

function whyOf(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return 'there is no such file';
  return error instanceof Error ? error.message : String(error);
}

function cannotRead(path: string, host: string, why: string): Failure {
  return {
    reason: 'BOOT_FILE',
    message: `${path} cannot be booted on ${host}: ${why}`,
    remedy: 'Put the file on the host, or name another one.',
  };
}

function cannotCopy(path: string, error: unknown): Failure {
  return {
    reason: 'BOOT_FILE',
    message: `boot files cannot be copied to ${path}: ${whyOf(error)}`,
    remedy: 'See that the disk of dataDir is not full and that the service may write there.',
    field: 'dataDir',
  };
}
