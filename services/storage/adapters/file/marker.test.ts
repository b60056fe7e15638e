import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { HostId, SrId } from '../../../../pool/records/identifiers.ts';
import { checkMarker, type Marker, markerName, readMarker, writeMarker } from './marker.ts';

const marker: Marker = {
  id: randomUUID() as SrId,
  host: randomUUID() as HostId,
  name: 'local-1',
};

async function inNewFolder(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'marker-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('a folder that is marked says which SR it is; one that is not says nothing', async (t) => {
  await inNewFolder(async (directory) => {
    const sr = join(directory, 'made', 'when missing');
    t.deepEqual(await readMarker(sr), { ok: true, value: null });
    t.deepEqual(await writeMarker(sr, marker), { ok: true, value: undefined });
    t.deepEqual(await readMarker(sr), { ok: true, value: marker });
    t.deepEqual(await readdir(sr), [markerName]);
  });
});

test('a new file system becomes an SR; a folder that holds anything else does not', async (t) => {
  await inNewFolder(async (directory) => {
    await mkdir(join(directory, 'lost+found'));
    await writeFile(join(directory, `${randomUUID()}.raw`), '');
    const refused = await writeMarker(directory, marker);
    t.like(refused, { ok: false, error: { reason: 'STORAGE' } });
    t.deepEqual(await readMarker(directory), { ok: true, value: null });
  });
  await inNewFolder(async (directory) => {
    await mkdir(join(directory, 'lost+found'));
    t.true((await writeMarker(directory, marker)).ok);
  });
});

test('a damaged marker is refused with what to write instead', async (t) => {
  for (const damaged of ['', '{"format": "flotilla-sr-1", "id": "', '{}', '{"id": 3}', '\0\0\0'])
    await inNewFolder(async (directory) => {
      await writeFile(join(directory, markerName), damaged);
      const refused = await readMarker(directory);
      t.like(refused, { ok: false, error: { reason: 'STORAGE' } });
      t.regex(refused.ok ? '' : refused.error.remedy, /Restore it from a backup/);
    });
});

test('a folder of another SR or another host is refused', (t) => {
  const { host, name } = marker;
  t.true(checkMarker('/srv/sr', marker, { host, name }).ok);
  const otherName = checkMarker('/srv/sr', marker, { host, name: 'fast' });
  t.is(otherName.ok ? '' : otherName.error.message, '/srv/sr is the SR "local-1", not "fast"');
  const otherHost = checkMarker('/srv/sr', marker, { host: randomUUID() as HostId, name });
  t.is(otherHost.ok ? '' : otherHost.error.message, `/srv/sr belongs to the host ${host}`);
});
