import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { errnoOf, removeFile, replaceFile } from './durable-file.ts';

test('a file is replaced and removed whole, and nothing is left beside it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'durable-file-'));
  const path = join(directory, 'state.json');
  await replaceFile(path, 'one, which is longer');
  await replaceFile(path, 'two');
  t.is(await readFile(path, 'utf8'), 'two');
  t.deepEqual(await readdir(directory), ['state.json']);
  await removeFile(path);
  await removeFile(path);
  t.deepEqual(await readdir(directory), []);
  await rm(directory, { recursive: true });
});

test('an error of the system is told by its name, and other errors are not', async (t) => {
  const error = await t.throwsAsync(replaceFile('/nonexistent-folder/state.json', ''));
  t.is(errnoOf(error), 'ENOENT');
  t.is(errnoOf(new TypeError('a bug')), null);
  t.is(errnoOf('ENOENT'), null);
});
