import { open } from 'node:fs/promises';
import { run } from './command.ts';

/**
 * Makes a raw disk with an ext4 file system that holds a directory's files. The file is sparse:
 * it takes the room of its content, whatever `size` (in bytes) the guest sees.
 */
export async function writeDisk(directory: string, file: string, size: number): Promise<void> {
  const options = ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-N', '131072'];
  const handle = await open(file, 'w');
  await handle.truncate(size);
  await handle.close();
  await run('mke2fs', [
    ...options,
    '-E',
    'root_owner=0:0,lazy_itable_init=1',
    '-d',
    directory,
    file,
  ]);
}
