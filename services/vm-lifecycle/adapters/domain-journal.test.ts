import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openDomainJournal } from './domain-journal.ts';

test('a journal remembers the domains over a restart, until they are removed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-journal-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const journal = await openDomainJournal(join(folder, 'domains'));
  if (!journal.ok) return t.fail(journal.error.message);
  await journal.value.add('one');
  await journal.value.add('two');
  await journal.value.remove('one');
  const again = await openDomainJournal(join(folder, 'domains'));
  if (!again.ok) return t.fail(again.error.message);
  t.false(again.value.has('one'));
  t.true(again.value.has('two'));
});

test('a folder that cannot be made is a failure that names it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-journal-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'file'), '');
  const journal = await openDomainJournal(join(folder, 'file', 'domains'));
  t.like(journal, { ok: false, error: { field: 'dataDir' } });
});
