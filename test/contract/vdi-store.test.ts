import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openFileStore } from '../../services/storage/adapters/file/file-store.ts';
import type { VdiStore } from '../../services/storage/adapters/vdi-store.ts';
import { vdiStoreContract } from './vdi-store.ts';

async function opened(directory: string): Promise<VdiStore> {
  const store = await openFileStore(directory);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

for (const { title, run } of vdiStoreContract)
  test(`file: ${title}`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'vdi-store-'));
    await run({ store: await opened(directory), reopen: () => opened(directory) });
    await rm(directory, { recursive: true });
    t.pass();
  });
