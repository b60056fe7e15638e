import type { CommandFailure } from '../../../../base/command.ts';
import {
  attachLoop as attach,
  detachLoop as detach,
  type LoopDevice,
  loopDevices as list,
  losetupTimeout,
} from '../../../../base/loop-devices.ts';
import { fail, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';

/** `base/loop-devices.ts`, with failures as the pool knows them. */
export const loopDevices = (file?: string): Promise<Result<readonly LoopDevice[], Failure>> =>
  told(list(file));

/** See `base/loop-devices.ts`. */
export const attachLoop = (file: string, readOnly: boolean): Promise<Result<string, Failure>> =>
  told(attach(file, readOnly));

/** See `base/loop-devices.ts`. */
export const detachLoop = (device: string): Promise<Result<void, Failure>> => told(detach(device));

async function told<Value>(
  running: Promise<Result<Value, CommandFailure>>,
): Promise<Result<Value, Failure>> {
  const run = await running;
  return run.ok ? run : fail(refused(run.error));
}

function refused({ kind, command, detail }: CommandFailure): Failure {
  switch (kind) {
    case 'missing':
      return {
        reason: 'STORAGE',
        message: 'losetup is not installed, so no image can be attached as a block device',
        remedy:
          'Install it (Debian: package mount), or set attach to "file" for simulated domains.',
      };
    case 'slow':
      return {
        reason: 'STORAGE',
        message: `${command} did not end within ${losetupTimeout / 1000} s`,
        remedy: "The disk underneath may hang: see the kernel's log.",
      };
    case 'refused':
      return {
        reason: 'STORAGE',
        message: `${command} failed: ${detail}`,
        remedy: 'Run storage as root, and load the kernel module loop.',
      };
  }
}
