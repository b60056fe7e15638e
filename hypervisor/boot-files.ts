import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { DomainConfig, HypervisorError } from './port.ts';

/**
 * Says what is wrong with the kernel or the ramdisk that a configuration names, or null: both must
 * be files of this host that can be read. An empty path is not looked at.
 */
export async function checkBootFiles({
  kernel,
  ramdisk,
}: DomainConfig): Promise<HypervisorError | null> {
  for (const path of [kernel, ramdisk ?? '']) {
    if (path === '') continue;
    const found = await stat(path).catch(() => null);
    if (found === null)
      return { code: 'boot-file-missing', detail: `there is no boot file ${path} on this host` };
    if (!found.isFile() || !(await readable(path)))
      return { code: 'boot-file-invalid', detail: `${path} is not a file that can be read` };
  }
  return null;
}

async function readable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
