import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readSmallFile } from './small-file.ts';

test('a file is read whole up to the limit, and not at all beyond it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'small-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'file');
  await writeFile(path, 'four');
  const read = await readSmallFile(path, 4);
  t.is(read.ok ? read.value.toString() : read.error.why, 'four');
  t.like(await readSmallFile(path, 3), {
    ok: false,
    error: { kind: 'too-large', why: 'is larger than 3 bytes' },
  });
  t.like(await readSmallFile(join(directory, 'none'), 4), { error: { kind: 'missing' } });
  t.like(await readSmallFile(directory, 4), { error: { kind: 'unreadable' } });
});
