import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { run, until } from '../testing/run.ts';
import { type SimulatedPool, simulatedPool } from '../testing/simulated-pool.ts';

async function poolOf(t: ExecutionContext, hosts: number): Promise<SimulatedPool> {
  const pool = await simulatedPool(hosts);
  t.teardown(() => pool.close());
  return pool;
}

/** The members themselves, without the pool's services. */
function at(pool: SimulatedPool): readonly string[] {
  return ['--endpoints', pool.database.members.map((member) => member.address).join(',')];
}

const add = ['pool', 'member', 'add', 'host-4', '--peer', '10.0.0.4:2380', '--wait'];

test('--wait ends when the new member votes', async (t) => {
  const pool = await poolOf(t, 3);
  const adding = run([...add, ...at(pool)]);
  await until(() => adding.stderr.includes('host-4: not started yet'));
  t.regex(adding.stderr, /start it with:\n {2}flotilla consensus --name host-4/);
  await pool.database.begin(0xe5n, 'host-4');
  await until(() => adding.stderr.includes('host-4: catches up'));
  for (const member of pool.database.members) member.learner = false;
  t.is(await adding.exitCode, 0);
  t.is(adding.stdout, 'host-4 votes now\n');
});

test('--wait ends with --timeout or Ctrl-C, and says that the member goes on joining', async (t) => {
  const pool = await poolOf(t, 3);
  const adding = run([...add, ...at(pool)]);
  await until(() => adding.stderr.includes('not started yet'));
  adding.interrupt();
  t.is(await adding.exitCode, 130);
  t.regex(adding.stderr, /interrupted: host-4 goes on joining by itself\n/);
  t.regex(adding.stderr, /take it back with `flotilla pool member remove e5`/);
});

test('whoever waits learns that the member was taken back', async (t) => {
  const pool = await poolOf(t, 3);
  const adding = run([...add, ...at(pool)]);
  await until(() => adding.stderr.includes('not started yet'));
  pool.database.members = pool.database.members.slice(0, 3);
  t.is(await adding.exitCode, 1);
  t.regex(adding.stderr, /somebody removed host-4 meanwhile/);
});

test('removing asks on a terminal and says what it means; "n" changes nothing', async (t) => {
  const pool = await poolOf(t, 3);
  const remove = run(['pool', 'member', 'remove', 'host-2', ...at(pool)], { terminal: true });
  remove.stdin.write('n\n');
  t.is(await remove.exitCode, 1);
  t.regex(remove.stderr, /afterwards 2 of 2 must run, so none may be lost/);
  t.regex(remove.stderr, /Remove host-2 for good\? \[y\/N\]/);
  t.is(pool.database.members.length, 3);

  const again = run(['pool', 'member', 'remove', 'host-2', ...at(pool)], { terminal: true });
  again.stdin.write('y\n');
  t.is(await again.exitCode, 0);
  t.deepEqual(
    pool.database.members.map((member) => member.name),
    ['host-1', 'host-3'],
  );
});

test('a snapshot that is broken off by Ctrl-C leaves nothing', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-save-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const pool = await poolOf(t, 1);
  const release = pool.database.holdSnapshots();
  const save = run(['pool', 'snapshot', 'save', 'pool.db', ...at(pool)], { directory });
  await until(() => save.stderr.includes('copying from host-1'));
  t.is(readdirSync(directory).length, 1, 'what is written aside');
  save.interrupt();
  t.is(await save.exitCode, 130);
  t.regex(save.stderr, /interrupted: nothing was saved/);
  t.deepEqual(readdirSync(directory), []);
  release();
});

test('the members are watched: what changes is told once', async (t) => {
  const pool = await poolOf(t, 3);
  const watching = run(['pool', 'members', '--watch', '--json', ...at(pool)]);
  await until(() => watching.stdout.includes('\n'));
  pool.database.leader = 0xb2n;
  await until(() => watching.stdout.trim().split('\n').length === 2);
  pool.database.kill(2);
  await until(() => watching.stdout.trim().split('\n').length === 3);
  watching.interrupt();
  t.is(await watching.exitCode, 130);
  const leaders = watching.stdout
    .trim()
    .split('\n')
    .map((line) => {
      const { members } = JSON.parse(line);
      return members.find((member: { role: string }) => member.role === 'leader')?.name;
    });
  t.deepEqual(leaders, ['host-1', 'host-2', 'host-2']);
});

test('a dead member costs nothing where another answers; none at all is exit code 3', async (t) => {
  const pool = await poolOf(t, 2);
  pool.database.kill(0);
  const members = run(['pool', 'alarms', ...at(pool)]);
  t.is(await members.exitCode, 0);
  pool.database.kill(1);
  const none = run(['pool', 'alarms', ...at(pool)]);
  t.is(await none.exitCode, 3);
  t.regex(
    none.stderr,
    /no member of the database .* answers\n {2}127\.0\.0\.1:\d+ {2}connection refused/,
  );
});

test('plain text to a member on another machine is refused', async (t) => {
  const far = run(['pool', 'members', '--endpoints', '10.0.0.1:2379']);
  t.is(await far.exitCode, 2);
  t.regex(
    far.stderr,
    /10\.0\.0\.1:2379 is another machine, and plain text is for this machine only/,
  );
  const odd = run(['pool', 'members', '--endpoints', 'nowhere']);
  t.is(await odd.exitCode, 2);
});
