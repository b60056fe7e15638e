import { spawnSync } from 'node:child_process';
import test from 'ava';
import { run } from '../testing/run.ts';
import { simulatedPool } from '../testing/simulated-pool.ts';
import { simulatedVm } from '../testing/simulated-state.ts';

async function script(shell: string): Promise<string> {
  const completion = run(['completion', shell]);
  await completion.exitCode;
  return completion.stdout;
}

for (const [shell, ...check] of [
  ['bash', '-n'],
  ['zsh', '-n'],
  ['fish', '--no-execute', '/dev/stdin'],
]) {
  const isInstalled = spawnSync(shell ?? '', ['--version']).error === undefined;
  const title = `the ${shell} script is valid ${shell}`;
  if (isInstalled)
    test(title, async (t) => {
      const text = await script(shell ?? '');
      const checked = spawnSync(shell ?? '', check, { input: text, encoding: 'utf8' });
      t.is(checked.stderr, '');
      t.is(checked.status, 0);
    });
  else test.skip(`${title} (no ${shell} on this machine)`, () => {});
}

/** What bash offers for the last of `words`; `flotilla __complete` is played by a function. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const input = `${await script('bash')}
flotilla() { echo "asked-$2"; shift 2; for word in "$@"; do echo "with$word"; done; }
COMP_WORDS=(flotilla ${quoted})
COMP_CWORD=${words.length}
_flotilla
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ran = spawnSync('bash', ['--norc'], { input, encoding: 'utf8' });
  return ran.stdout.trim().split('\n');
}

test('bash completes commands, flags, choices and names', async (t) => {
  t.deepEqual(await offered('v'), ['vm']);
  t.deepEqual(await offered('vm', 're'), ['reboot']);
  t.deepEqual(await offered('vm', 'start', ''), ['asked-vm']);
  t.deepEqual(await offered('vm', 'start', 'web', '--ho'), ['--host']);
  t.deepEqual(await offered('vm', 'start', 'web', '--host', ''), ['asked-host']);
  t.deepEqual(await offered('vm', 'create', '--type', ''), ['pvh', 'pv']);
  t.deepEqual(await offered('vm', 'create', '--network', ''), ['asked-network']);
  t.deepEqual(await offered('operation', 'cancel', ''), ['asked-operation']);
  t.deepEqual(await offered('completion', 'z'), ['zsh']);
  t.deepEqual(await offered('pool', 'm'), ['members', 'move-leader', 'member']);
  t.deepEqual(await offered('pool', 'member', 'remove', ''), ['asked-member']);
  t.deepEqual(await offered('pool', 'member', 'remove', '--endpoints', 'a:1', ''), [
    'asked-member',
    'with--endpoints',
    'witha:1',
  ]);
  t.deepEqual(await offered('pool', 'alarms', ''), ['disarm']);
  t.deepEqual(await offered('xenstore', 'r'), ['read', 'rm']);
  t.deepEqual(await offered('xenstore', 'read', '--host', ''), ['asked-host']);
  t.deepEqual(await offered('xenstore', 'watch', '--d'), ['--depth']);
});

test('names are asked of the pool that the command line is about', async (t) => {
  t.deepEqual(await offered('vm', 'start', '--pool', 'lab', ''), [
    'asked-vm',
    'with--pool',
    'withlab',
  ]);
});

test('what is hidden is not offered', async (t) => {
  t.deepEqual(await offered(''), [
    'vm',
    'host',
    'operation',
    'pool',
    'xenstore',
    'image',
    'completion',
  ]);
});

test('__complete prints names, and nothing where there is no pool', async (t) => {
  const pool = await simulatedPool();
  t.teardown(() => pool.close());
  for (const name of ['web', 'db']) pool.state.put('vm', simulatedVm(pool.state, { name }));
  const names = run(['__complete', 'vm', '--pool', pool.addresses.join(',')]);
  t.is(await names.exitCode, 0);
  t.is(names.stdout, 'web\ndb\n');
  const members = run(['__complete', 'member', '--pool', pool.addresses.join(',')]);
  t.is(await members.exitCode, 0);
  t.is(members.stdout, 'host-1\n');
  const none = run(['__complete', 'vm'], { directory: '/' });
  t.is(await none.exitCode, 0);
  t.is(none.stdout + none.stderr, '');
});
