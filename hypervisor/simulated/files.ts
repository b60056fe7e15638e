import { stat } from 'node:fs/promises';
import { checkBootFiles } from '../boot-files.ts';
import { controlDomain, type DomainConfig, type HypervisorError } from '../port.ts';

/** Says what is wrong with the files that a domain's configuration names, or null. */
export type FileCheck = (config: DomainConfig) => Promise<HypervisorError | null>;

/** Takes every path for good: for simulations of a whole pool, which have no files. */
export const noFileCheck: FileCheck = () => Promise.resolve(null);

/**
 * Looks on this machine, as the real hypervisor does: boot files must be readable files, disks
 * block devices or files. A kernel of `''` boots the pretend guest; only the simulated one may.
 */
export const checkFiles: FileCheck = async (config) => {
  const wrong = await checkBootFiles(config);
  if (wrong !== null) return wrong;
  for (const { vdev, path, backend } of config.disks) {
    // A driver domain's devices are no files of this machine.
    if (backend !== controlDomain) continue;
    const found = await stat(path).catch(() => null);
    if (found === null || !(found.isBlockDevice() || found.isFile()))
      return {
        code: 'device-unavailable',
        detail: `disk ${vdev}: ${path} is neither a block device nor a file of this host`,
      };
  }
  return null;
};
