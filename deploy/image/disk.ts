import { open } from 'node:fs/promises';
import { run } from './command.ts';

/** How large a disk is for those who use it. */
export interface DiskSize {
  /** Bytes. */
  readonly size: number;
  /** Files and directories that it can hold. */
  readonly files: number;
}

/**
 * Makes a raw disk with an ext4 file system that holds a directory's files. The disk's file is
 * sparse: it takes the room of its content, whatever size the host sees.
 */
export async function writeDisk(directory: string, file: string, room: DiskSize): Promise<void> {
  const handle = await open(file, 'w');
  await handle.truncate(room.size);
  await handle.close();
  // No journal: a host that is switched off carelessly starts from a fresh copy.
  const format = ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-N', `${room.files}`];
  await run('mke2fs', [...format, '-E', 'root_owner=0:0', '-d', directory, file]);
}
