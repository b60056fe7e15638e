import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { bytes } from '../../../base/units.ts';
import { commandEntry, firstConfiguration, persist } from '../../../test/contract/log-store.ts';
import { logIndex, memberId, term } from '../../core/ids.ts';
import { DiskLogStore } from './log-store.ts';

/** A file system of 8 MiB, or null where this user may not mount one. */
function smallDisk(): string | null {
  const path = mkdtempSync(join(tmpdir(), 'flotilla-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path], { stdio: 'ignore' });
    return path;
  } catch {
    rmdirSync(path);
    return null;
  }
}

async function open(directory: string): Promise<DiskLogStore> {
  const store = await DiskLogStore.open({
    directory,
    identity: { pool: 'p', member: memberId(1) },
    configuration: firstConfiguration,
    segmentBytes: bytes(2 ** 20),
  });
  if (!store.ok) throw new Error(store.error.detail);
  return store.value;
}

const disk = smallDisk();
const withDisk = disk === null ? test.skip : test.serial;

test.after.always(() => {
  if (disk === null) return;
  execFileSync('umount', [disk]);
  rmdirSync(disk);
});

withDisk(
  'a full disk refuses writes, and takes them again once there is room (needs root)',
  async (t) => {
    const path = disk ?? '';
    const directory = join(path, 'data');
    const store = await open(directory);
    let index = 0;
    const writeNext = (): ReturnType<typeof store.write> =>
      store.write([persist({ entries: [commandEntry(index + 1, 1, 'v'.repeat(50_000))] })]);
    // From the half of a segment on, the next one is prepared.
    for (; index < 12; index += 1) t.true((await writeNext()).ok);
    const next = join(directory, 'log', 'next.tmp');
    while (statSync(next).size < 2 ** 20) await setTimeout(10);
    const filler = join(path, 'filler');
    t.throws(() => writeFileSync(filler, Buffer.alloc(16 * 2 ** 20)), { code: 'ENOSPC' });

    let result = await writeNext();
    for (; result.ok; result = await writeNext()) index += 1;
    t.true(index > 30, 'the room that was prepared ahead was used');
    t.is(result.error.code, 'full');
    t.regex(result.error.detail, /free some space/);

    rmSync(filler);
    t.true((await writeNext()).ok);
    index += 1;
    await store.close();
    const again = await open(directory);
    t.is(again.recovered.entries.length, index);
    await again.close();
    rmSync(directory, { recursive: true });
  },
);

withDisk('what does not fit leaves nothing half made behind (needs root)', async (t) => {
  const directory = join(disk ?? '', 'snapshots');
  const store = await open(directory);
  for (const index of [1, 2]) await store.write([persist({ entries: [commandEntry(index, 1)] })]);
  const meta = (index: number) => ({
    index: logIndex(index),
    term: term(1),
    configuration: firstConfiguration,
  });
  t.true((await store.saveSnapshot(meta(1), [Buffer.from('small')])).ok);
  const before = readdirSync(join(directory, 'snapshot'));

  const large = [Buffer.alloc(16 * 2 ** 20, 'v')];
  const failed = await store.saveSnapshot(meta(2), large);
  t.is(failed.ok ? 'saved' : failed.error.code, 'full');
  t.deepEqual(readdirSync(join(directory, 'snapshot')), before);

  const piece = { snapshot: meta(9), offset: 0, data: large[0] ?? Buffer.of(), last: true };
  const refused = await store.storePiece(piece);
  t.is(refused.ok ? 'stored' : refused.error.code, 'full');
  t.true((await store.storePiece({ ...piece, data: Buffer.alloc(0), last: false })).ok);
  await store.close();
  t.deepEqual(readdirSync(join(directory, 'snapshot')), before);
  t.deepEqual(
    readdirSync(join(directory, 'log')).filter((name) => !name.endsWith('.wal')),
    [],
  );
  const again = await open(directory);
  t.is(again.recovered.snapshot.index, logIndex(1));
  await again.close();
});
