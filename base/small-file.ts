import { open } from 'node:fs/promises';
import { errnoOf } from './durable-file.ts';
import { fail, ok, type Result } from './result.ts';

/** Why a file was not read. */
export interface SmallFileFailure {
  readonly kind: 'missing' | 'too-large' | 'unreadable';
  /** What follows the file's name in a sentence: "is larger than 4096 bytes", the system's own words. */
  readonly why: string;
}

/** A whole file of at most `limit` bytes; of a larger one no more than that is read. */
export async function readSmallFile(
  path: string,
  limit: number,
): Promise<Result<Buffer, SmallFileFailure>> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(limit + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      if (bytesRead <= limit) return ok(buffer.subarray(0, bytesRead));
      return fail({ kind: 'too-large', why: `is larger than ${limit} bytes` });
    } finally {
      await file.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail({ kind: errnoOf(error) === 'ENOENT' ? 'missing' : 'unreadable', why });
  }
}
