import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { giveSignsOfLife } from './sign-of-life.ts';

test('a sign is given at once, and a process that nobody has asked gives none', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-sign-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'sign');
  const signs = giveSignsOfLife(file);
  t.is(await readFile(file, 'utf8'), '1\n');
  t.false(signs?.hasRef(), 'it does not keep the process');
  clearInterval(signs ?? undefined);
  t.is(giveSignsOfLife(undefined), null);
});

test('where a sign cannot be written, nothing else happens', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-sign-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'file');
  await writeFile(file, '');
  const signs = giveSignsOfLife(join(file, 'below'));
  t.truthy(signs);
  clearInterval(signs ?? undefined);
});
