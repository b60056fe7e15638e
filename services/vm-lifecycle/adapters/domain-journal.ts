import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';

/**
 * Which domains Flotilla built on this host, by UUID: written before a domain is built and removed
 * after it is gone. What is not in it may be somebody else's, and is never destroyed as a stray.
 */
export interface DomainJournal {
  add(uuid: string): Promise<Result<void, Failure>>;
  remove(uuid: string): Promise<Result<void, Failure>>;
  has(uuid: string): boolean;
}

/**
 * A journal of one empty file per domain in a folder. Domains do not outlive the host's power, so
 * the folder need not either; it must outlive this process, which a file does without being flushed.
 */
export async function openDomainJournal(folder: string): Promise<Result<DomainJournal, Failure>> {
  const known = new Set<string>();
  const opened = await attempt(folder, async () => {
    await mkdir(folder, { recursive: true });
    for (const uuid of await readdir(folder)) known.add(uuid);
  });
  if (!opened.ok) return opened;
  return ok({
    add: (uuid) =>
      attempt(folder, async () => {
        const file = await open(join(folder, uuid), 'w');
        await file.close();
        known.add(uuid);
      }),
    remove: (uuid) =>
      attempt(folder, async () => {
        await rm(join(folder, uuid), { force: true });
        known.delete(uuid);
      }),
    has: (uuid) => known.has(uuid),
  });
}

async function attempt(folder: string, act: () => Promise<void>): Promise<Result<void, Failure>> {
  try {
    await act();
    return ok(undefined);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail({
      reason: 'HYPERVISOR',
      message: `the journal of domains in ${folder} cannot be written: ${why}`,
      remedy: 'See that the disk is not full and that the service may write there.',
      field: 'dataDir',
    });
  }
}
