import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { syncDirectory } from './segment.ts';

/** Makes a directory and those that it is in, where they are not there, durably. */
export async function makeDirectory(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true });
  if (made === undefined) return;
  // Each new one is a name in the one that it is in, from the outermost that was there.
  for (let inner = resolve(path); ; inner = dirname(inner)) {
    await syncDirectory(dirname(inner));
    if (inner === resolve(made)) return;
  }
}
