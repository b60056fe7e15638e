import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { HostId } from '../../pool/records/identifiers.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { answerOf, patience } from '../../test/fixtures/calls.ts';
import { thisHost } from '../../test/fixtures/pool-records.ts';
import { runningStorage, startIn, withStorage } from '../../test/fixtures/storage-service.ts';
import type { StorageConfiguration } from './configuration.ts';

const otherHost = '00000000-0000-4000-8000-000000000002' as HostId;

test('the SR of the configuration is made at the first start and is the same one ever after', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'storage-'));
  const database = simulatedDatabase();
  const first = await runningStorage(database, directory);
  const { srs } = answerOf(await first.storage.listSrs({}, patience));
  await first.close();
  const second = await runningStorage(database, directory);
  t.deepEqual(answerOf(await second.storage.listSrs({}, patience)).srs[0]?.id, srs[0]?.id);
  t.is(srs.length, 1);
  t.like(srs[0], { name: 'local-1', type: 'SR_TYPE_FILE', host: thisHost, virtualAllocated: 0 });
  t.true((srs[0]?.physicalFree ?? 0) > 0);
  await second.close();
  database.close();
  await rm(directory, { recursive: true });
});

test('a folder that is not the SR of the configuration stops the start, and says what to do', async (t) => {
  await withStorage(async ({ pool }, sr, directory) => {
    const refused = async (changes: Partial<StorageConfiguration>) => {
      const started = await startIn(pool, directory, changes);
      if (!started.ok) return started.error;
      await started.value.close();
      throw new Error('it started');
    };
    const unmounted = await refused({ srs: [{ name: 'local-1', path: join(directory, 'empty') }] });
    t.like(unmounted, { reason: 'STORAGE', field: 'srs' });
    t.regex(unmounted.remedy, /Mount/);
    t.regex((await refused({ srs: [{ name: 'fast', path: sr }] })).message, /is the SR "local-1"/);
    t.regex((await refused({ hostId: otherHost })).message, /belongs to the host/);
    const used = join(directory, 'used');
    await mkdir(used);
    await writeFile(join(used, 'notes.txt'), '');
    t.regex((await refused({ srs: [{ name: 'new', path: used }] })).message, /holds "notes.txt"/);
    await writeFile(join(sr, 'flotilla-sr.json'), '{"format":');
    t.regex((await refused({})).message, /is damaged/);
  });
});
