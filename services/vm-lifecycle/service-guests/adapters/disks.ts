import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type CommandFailure, runCommand } from '../../../../base/command.ts';
import { errnoOf, syncDirectory } from '../../../../base/durable-file.ts';
import { attachLoop, detachLoop, loopDevices } from '../../../../base/loop-devices.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Bytes, milliseconds } from '../../../../base/units.ts';
import { attempt } from './files.ts';

/** mke2fs of a sparse file of TiB takes seconds. */
const mke2fsTimeout = milliseconds(120_000);

/** How files of this host become disks of a guest. */
export interface DiskAccess {
  /** What the hypervisor is given for a file. The same file has the same device, also after a crash. */
  open(file: string, readOnly: boolean): Promise<Result<string, string>>;
  /** Lets go of a file that is about to be replaced. */
  close(file: string): Promise<Result<void, string>>;
}

/** Simulated domains take the file as it is. */
export const fileAccess: DiskAccess = {
  open: (file) => Promise.resolve(ok(file)),
  close: () => Promise.resolve(ok(undefined)),
};

/**
 * blkback opens block devices. Which loop device a file has, the kernel knows, and nobody else keeps
 * it: so a supervisor that was killed finds it.
 */
export const loopAccess: DiskAccess = {
  open: async (file, readOnly) => {
    const devices = await loopDevices(file);
    if (!devices.ok) return fail(commandText(devices.error));
    const fitting = devices.value.find((each) => each.readOnly === readOnly && !each.leaving);
    if (fitting !== undefined) return ok(fitting.name);
    const [other] = devices.value;
    if (other !== undefined)
      return fail(
        `${file} is ${other.name} already, ${other.readOnly ? 'read-only' : 'writable'}: see who uses it with fuser ${other.name}`,
      );
    const attached = await attachLoop(file, readOnly);
    return attached.ok ? attached : fail(commandText(attached.error));
  },
  close: async (file) => {
    const devices = await loopDevices(file);
    if (!devices.ok) return fail(commandText(devices.error));
    for (const { name } of devices.value) {
      const detached = await detachLoop(name);
      if (!detached.ok) return fail(commandText(detached.error));
    }
    return ok(undefined);
  },
};

/**
 * Sees that a guest's data disk is there: a sparse file with an ext4. It is formatted aside and takes
 * its name when it is whole, so a file of that name is never formatted, whatever it holds: neither
 * after a crash, nor where it is somebody else's.
 */
export async function ensureDataDisk(
  { path, size }: { readonly path: string; readonly size: Bytes },
  label: string,
): Promise<Result<void, string>> {
  const there = await existing(path);
  if (!there.ok) return there;
  if (there.value) return ok(undefined);
  const aside = `${path}.making`;
  const made = await attempt(`the data disk ${path} cannot be made`, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(aside, { force: true });
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.truncate(size);
      await file.sync();
    } finally {
      await file.close();
    }
  });
  if (!made.ok) return made;
  const formatted = await makeExt4(aside, ['-L', label]);
  if (!formatted.ok) return formatted;
  return attempt(`the data disk ${path} cannot be put in its place`, async () => {
    await rename(aside, path);
    await syncDirectory(dirname(path));
  });
}

async function existing(path: string): Promise<Result<boolean, string>> {
  try {
    const found = await stat(path);
    if (found.isFile() || found.isBlockDevice()) return ok(true);
    return fail(`the data disk ${path} is neither a file nor a block device`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ok(false);
    return fail(`the data disk ${path} cannot be looked at: ${String(error)}`);
  }
}

/**
 * Makes an ext4 in a new file that has its size already, and nothing else: its holes are zeros, so the
 * journal, of half a GiB in a large disk, need not be filled with them.
 */
export async function makeExt4(
  file: string,
  options: readonly string[],
): Promise<Result<void, string>> {
  const always = ['-q', '-t', 'ext4', '-m', '0', '-E', 'root_owner=0:0,lazy_journal_init=1'];
  const made = await runCommand('mke2fs', [...always, ...options, file], mke2fsTimeout);
  return made.ok ? ok(undefined) : fail(commandText(made.error));
}

/** A command's failure as a sentence, with what to do. */
export function commandText({ kind, command, detail }: CommandFailure): string {
  switch (kind) {
    case 'missing':
      return `${command.split(' ')[0]} is not installed (Debian: losetup is in mount, mke2fs in e2fsprogs, ip in iproute2)`;
    case 'slow':
      return `${command} did not end in its time; see the kernel's log`;
    case 'refused':
      return `${command} failed: ${detail}`;
  }
}
