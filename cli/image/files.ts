import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf } from '../../base/durable-file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { readSmallFile } from '../../base/small-file.ts';
import { bytes } from '../../base/units.ts';
import type { FoundFile } from '../../pool/images/differences.ts';
import type { Sha256 } from '../../pool/images/digest.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';

/** How the commands end that need no pool. */
export const fileExitCodes = `
Exit codes:
  0    done
  1    the image is not what was signed, or a file could not be read or written
  2    wrong usage
  4    a file that was named does not exist`;

/** Flags of the commands that need no pool. */
export interface FileFlags {
  readonly json?: boolean;
}

/** A file of at most `limit` bytes. */
export async function readSmall(path: string, limit: number): Promise<Result<Buffer, Problem>> {
  const read = await readSmallFile(path, limit);
  if (read.ok) return read;
  const { kind, why } = read.error;
  return fail(kind === 'too-large' ? unusable(path, why) : notReadable(path, kind, why));
}

/** The digest and the size of a file of any size; null where there is none. */
export async function measureFile(path: string): Promise<Result<FoundFile | null, Problem>> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.byteLength;
    }
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? ok(null) : fail(unreadable(path, error));
  }
  return ok({ sha256: hash.digest('hex') as Sha256, size: bytes(size) });
}

/** Writes a file that must not be there yet. */
export async function writeNew(
  path: string,
  text: string,
  mode: number,
): Promise<Result<void, Problem>> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    return ok(undefined);
  } catch (error) {
    return fail(errnoOf(error) === 'EEXIST' ? isThere(path) : unwritable(path, error));
  }
}

/** A file that was to be new. */
export function isThere(path: string): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `${path} is there already, and a key is never overwritten`,
    remedy: 'name another directory with --out',
  };
}

/** A file that has something else in it than it should. */
export function unusable(path: string, why: string, remedy = 'name another file'): Problem {
  return { exitCode: exitCodes.failed, message: `${path} ${why}`, remedy };
}

/** A file that the system does not let us write. */
export function unwritable(path: string, error: unknown): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `${path} cannot be written: ${reason(error)}`,
    remedy: 'name a directory that you may write, on a disk with room',
  };
}

function unreadable(path: string, error: unknown): Problem {
  const kind = errnoOf(error) === 'ENOENT' ? 'missing' : 'unreadable';
  return notReadable(path, kind, error instanceof Error ? error.message : String(error));
}

function notReadable(path: string, kind: 'missing' | 'unreadable', why: string): Problem {
  const missing = kind === 'missing';
  return {
    exitCode: missing ? exitCodes.notFound : exitCodes.failed,
    message: missing ? `there is no file ${path}` : `${path} cannot be read: ${why.split(',')[0]}`,
    remedy: missing ? 'name a file that exists' : 'name a file that you may read',
  };
}

/** What Node says first; after a comma it repeats what was called. */
function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split(',')[0] ?? '';
}
