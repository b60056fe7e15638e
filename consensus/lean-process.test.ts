import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

/** What a program that becomes lean finds of itself then. */
async function lean(t: ExecutionContext, env: NodeJS.ProcessEnv) {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-lean-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const program = join(directory, 'program.mjs');
  const own = join(import.meta.dirname, 'lean-process.ts');
  await writeFile(
    program,
    `import { becomeLean } from ${JSON.stringify(own)};
becomeLean(import.meta.filename);
const { execArgv, argv, env, pid } = process;
console.log(JSON.stringify({ flags: execArgv, words: argv.slice(2), env, pid }));`,
  );
  const running = promisify(execFile)(process.execPath, [program, 'consensus', '--help'], { env });
  const { stdout } = await running;
  return { pid: running.child.pid, said: JSON.parse(stdout) };
}

test('a member is started anew in its process, with what the C library is told', async (t) => {
  const { pid, said } = await lean(t, { PATH: process.env.PATH });
  t.like(said, { pid, flags: [], words: ['consensus', '--help'] });
  t.like(said.env, { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' });
});

test('what an operator has chosen stays', async (t) => {
  const chosen = { PATH: process.env.PATH, MALLOC_ARENA_MAX: '4', LD_PRELOAD: '' };
  const { said } = await lean(t, chosen);
  t.like(said.env, { ...chosen, MALLOC_TRIM_THRESHOLD_: '131072' });
  t.is(said.env.MALLOC_CONF, undefined);
});
