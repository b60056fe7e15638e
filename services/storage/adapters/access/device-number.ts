import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';

/**
 * A block device's number, `major:minor` in decimal, from sysfs (Documentation/ABI/stable/sysfs-block):
 * a backend opens a device by it, and one in another domain's toolstack's hands can by it alone.
 */
export async function deviceNumber(
  path: string,
  sysfs = '/sys/class/block',
): Promise<Result<string, Failure>> {
  const file = `${sysfs}/${basename(path)}/dev`;
  const text = await readFile(file, 'utf8').catch(() => '');
  const number = /^\d{1,4}:\d{1,7}$/.exec(text.trim())?.[0];
  if (number !== undefined) return ok(number);
  return fail({
    reason: 'STORAGE',
    message: `the number of ${path} cannot be read: there is none in ${file}`,
    remedy: 'See that /sys is mounted where storage runs, and that nobody took the device down.',
  });
}
