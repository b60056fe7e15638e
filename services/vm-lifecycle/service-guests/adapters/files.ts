import { fail, ok, type Result } from '../../../../base/result.ts';
import { readSmallFile } from '../../../../base/small-file.ts';

/** A file of at most `limit` bytes. The failure is a sentence that names it. */
export async function readSmall(path: string, limit: number): Promise<Result<Buffer, string>> {
  const read = await readSmallFile(path, limit);
  if (read.ok) return read;
  const { kind, why } = read.error;
  return fail(`${path} cannot be read: ${kind === 'too-large' ? `it ${why}` : why}`);
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
