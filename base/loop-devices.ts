import * as v from 'valibot';
import { type CommandFailure, runCommand } from './command.ts';
import { fail, ok, type Result } from './result.ts';
import { milliseconds } from './units.ts';

/** Linux's loop devices, by util-linux's losetup: a file shown as a block device. */

/** losetup waits for the kernel alone; what takes longer hangs. */
export const losetupTimeout = milliseconds(15_000);

const DeviceSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^\/dev\/loop\d+$/)),
  'back-file': v.nullable(v.string()),
  ro: v.boolean(),
  autoclear: v.boolean(),
});
const ListSchema = v.object({ loopdevices: v.array(DeviceSchema) });

/** A loop device of this host. */
export interface LoopDevice {
  /** `/dev/loop3`. */
  readonly name: string;
  /** The file that it shows; null if the kernel does not say. */
  readonly file: string | null;
  readonly readOnly: boolean;
  /** The kernel takes it down as soon as the last who has it open closes it. */
  readonly leaving: boolean;
}

/** The loop devices of a file, by the file's identity and not by its name; without: all. */
export async function loopDevices(
  file?: string,
): Promise<Result<readonly LoopDevice[], CommandFailure>> {
  const columns = ['--list', '--json', '--output', 'NAME,BACK-FILE,RO,AUTOCLEAR'];
  const only = file === undefined ? [] : ['--associated', file];
  const listed = await losetup([...columns, ...only]);
  if (!listed.ok) return listed;
  if (listed.value.trim() === '') return ok([]);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ListSchema), listed.value);
  if (!parsed.success)
    return fail({
      kind: 'refused',
      command: 'losetup --list --json',
      detail: 'it printed a list that cannot be read; use the losetup of util-linux 2.33 or later',
    });
  return ok(
    parsed.output.loopdevices.map((device) => ({
      name: device.name,
      file: device['back-file'],
      readOnly: device.ro,
      leaving: device.autoclear,
    })),
  );
}

/**
 * Shows a file as a new loop device and returns its name. Reads and writes go past the page cache:
 * what a guest was told is written is on the disk, and the image is not cached twice.
 */
export async function attachLoop(
  file: string,
  readOnly: boolean,
): Promise<Result<string, CommandFailure>> {
  const mode = readOnly ? ['--read-only'] : [];
  const shown = await losetup(['--find', '--show', '--direct-io=on', ...mode, file]);
  return shown.ok ? ok(shown.value.trim()) : shown;
}

/** Takes a loop device down, or has the kernel do so when nobody has it open any more. */
export async function detachLoop(device: string): Promise<Result<void, CommandFailure>> {
  const done = await losetup(['--detach', device]);
  return done.ok ? ok(undefined) : done;
}

function losetup(args: readonly string[]): Promise<Result<string, CommandFailure>> {
  return runCommand('losetup', args, losetupTimeout);
}
