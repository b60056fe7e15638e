import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../../base/command.ts';
import { milliseconds } from '../../../base/units.ts';
import { BuildFailure } from '../../image/command.ts';
import { make } from './make.ts';

const version = await runCommand('make', ['--version'], milliseconds(10_000));
const withMake = version.ok ? test : test.skip;

async function directoryWith(rules: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'make-'));
  await writeFile(join(directory, 'Makefile'), rules);
  return directory;
}

withMake('each line of a build is handed on', async (t) => {
  const directory = await directoryWith('all:\n\t@echo "  CC a.o"; echo "  LD b"\n');
  t.teardown(() => rm(directory, { recursive: true }));
  const lines: string[] = [];
  await make(['-s', '-C', directory, 'all'], (line) => lines.push(line));
  t.deepEqual(lines, ['  CC a.o', '  LD b']);
});

withMake('a build that fails is a failure with what it said', async (t) => {
  const directory = await directoryWith('all:\n\t@echo "a.c:7: error: no" >&2; exit 1\n');
  t.teardown(() => rm(directory, { recursive: true }));
  const failed = await t.throwsAsync(make(['-s', '-C', directory, 'all']));
  t.true(failed instanceof BuildFailure);
  t.regex(failed?.message ?? '', /^"make all" of the kernel failed:\na\.c:7: error: no\n/);
});
