import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { DefaultBoot, Environment } from './environment.ts';

/** What a VM's record says of its boot: empty stands for the host's default. */
export interface BootChoice {
  readonly kernel: string;
  readonly ramdisk: string;
}

/**
 * The files that a VM boots on this host. A RAM disk belongs to its kernel: one without the other
 * is never taken from the default. On a simulated host no kernel at all is the pretend guest.
 */
export function resolveBoot(
  { host, defaultBoot, hypervisorKind }: Environment,
  { kernel, ramdisk }: BootChoice,
): Result<DefaultBoot, Failure> {
  if (kernel !== '') return ok({ kernel, ramdisk, commandLine: '' });
  if (defaultBoot !== null && defaultBoot.kernel !== '') return ok(defaultBoot);
  if (hypervisorKind === 'simulated') return ok({ kernel, ramdisk: '', commandLine: '' });
  return fail({
    reason: 'BOOT_FILE',
    message: `the VM names no kernel, and ${host.name} has no default one`,
    remedy: 'Name a kernel that is on the host: flotilla vm create --kernel PATH.',
    field: 'vm.boot.kernel',
  });
}

/** Succeeds when the files that a VM boots can be read on this host. */
export async function checkBoot(
  environment: Environment,
  choice: BootChoice,
): Promise<Result<void, Failure>> {
  const boot = resolveBoot(environment, choice);
  if (!boot.ok) return boot;
  for (const [field, path] of [
    ['vm.boot.kernel', boot.value.kernel],
    ['vm.boot.ramdisk', boot.value.ramdisk],
  ] as const) {
    if (path === '') continue;
    const fault = await faultOf(path);
    if (fault !== null) return fail(bootFile(environment.host.name, field, path, fault));
  }
  return ok(undefined);
}

async function faultOf(path: string): Promise<string | null> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return 'is not a file';
    if (found.size === 0) return 'is empty';
    await access(path, constants.R_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
    if (code === 'EACCES' || code === 'EPERM') return 'cannot be read';
    return `cannot be read (${String(code)})`;
  }
}

function bootFile(host: string, field: string, path: string, fault: string): Failure {
  return {
    reason: 'BOOT_FILE',
    message: `${path} ${fault} on ${host}`,
    remedy: 'Put the file on the host, or name another one.',
    field,
  };
}
