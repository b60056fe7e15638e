import { open } from 'node:fs/promises';
import { fail, ok, type Result } from '../../../../base/result.ts';

/** A file of at most `limit` bytes. The failure is a sentence that names it. */
export async function readSmall(path: string, limit: number): Promise<Result<Buffer, string>> {
  return attempt(`${path} cannot be read`, async () => {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(limit + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      if (bytesRead > limit) throw new Error(`it is larger than ${limit} bytes`);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  });
}

/** Does something with files, and makes of what the system objects a sentence that begins so. */
export async function attempt<Value>(
  what: string,
  act: () => Promise<Value>,
): Promise<Result<Value, string>> {
  try {
    return ok(await act());
  } catch (error) {
    return fail(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
