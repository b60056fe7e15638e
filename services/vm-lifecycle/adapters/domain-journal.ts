import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Which domains Flotilla built on this host, by UUID: written before a domain is built and removed
 * after it is gone. What is not in it may be somebody else's, and is never destroyed as a stray.
 */
export interface DomainJournal {
  add(uuid: string): Promise<void>;
  remove(uuid: string): Promise<void>;
  has(uuid: string): boolean;
}

/**
 * A journal of one empty file per domain in a folder. Domains do not outlive the host's power, so
 * the folder need not either; it must outlive this process, which a file does without being flushed.
 */
export async function openDomainJournal(folder: string): Promise<DomainJournal> {
  await mkdir(folder, { recursive: true });
  const known = new Set(await readdir(folder));
  return {
    add: async (uuid) => {
      const file = await open(join(folder, uuid), 'w');
      await file.close();
      known.add(uuid);
    },
    remove: async (uuid) => {
      await rm(join(folder, uuid), { force: true });
      known.delete(uuid);
    },
    has: (uuid) => known.has(uuid),
  };
}
