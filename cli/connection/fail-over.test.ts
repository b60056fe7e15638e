import test from 'ava';
import { run, until } from '../testing/run.ts';
import { type SimulatedPool, simulatedPool } from '../testing/simulated-pool.ts';
import { simulatedVm } from '../testing/simulated-state.ts';

async function poolWithWeb(hosts: number): Promise<SimulatedPool> {
  const pool = await simulatedPool(hosts);
  pool.state.put('vm', simulatedVm(pool.state, { name: 'web' }));
  return pool;
}

function at(pool: SimulatedPool): readonly string[] {
  return ['--pool', pool.addresses.join(',')];
}

test('a dead host costs a hint, and another one answers', async (t) => {
  const pool = await poolWithWeb(2);
  t.teardown(() => pool.close());
  pool.kill(0);
  const list = run(['vm', 'list', ...at(pool)]);
  t.is(await list.exitCode, 0);
  t.regex(list.stdout, /web\s+Halted/);
  t.regex(list.stderr, /^hint: 127\.0\.0\.1:\d+ did not answer \(connection refused\); another/);
});

test('a pool of which no host answers is exit code 3, with every host and why', async (t) => {
  const pool = await poolWithWeb(2);
  pool.close();
  const list = run(['vm', 'list', ...at(pool)]);
  t.is(await list.exitCode, 3);
  for (const address of pool.addresses)
    t.true(list.stderr.includes(`${address}: connection refused`));
  t.regex(list.stderr, /what to do: start the pool with `flotilla up`/);
});

test('waiting for an operation goes on by another host when the first one dies', async (t) => {
  const pool = await poolWithWeb(2);
  t.teardown(() => pool.close());
  const release = pool.operations.hold('build the domain');
  const start = run(['vm', 'start', 'web', ...at(pool)]);
  await until(() => start.stderr.includes('begun: build the domain'));
  pool.kill(0);
  await until(() => start.stderr.includes('asking another host'));
  release();
  t.is(await start.exitCode, 0);
  t.regex(start.stderr, /done: let the guest run/);
  t.is(start.stdout, 'web is Running on host-1\n');
  t.is(start.stderr.split('done: attach disk xvda').length, 2, 'no step is told twice');
  t.is(pool.state.all('operation').length, 1);
});

test('a watch goes on by another host after the last event that it saw', async (t) => {
  const pool = await poolWithWeb(2);
  t.teardown(() => pool.close());
  const watch = run(['vm', 'watch', '--json', ...at(pool)]);
  await until(() => watch.stdout.includes('SYNCED'));
  pool.kill(0);
  pool.state.put('vm', simulatedVm(pool.state, { name: 'db' }));
  await until(() => watch.stdout.includes('"db"'));
  watch.interrupt();
  t.is(await watch.exitCode, 130);
  const types = watch.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).type);
  t.deepEqual(types, ['CHANGE_TYPE_CREATED', 'CHANGE_TYPE_SYNCED', 'CHANGE_TYPE_CREATED']);
});

const noLeader = {
  reason: 'DATABASE_UNAVAILABLE',
  message: 'the pool database has no leader',
  remedy: 'More than half of its members must run.',
} as const;

test('a pool that elects a leader is asked again until it has one', async (t) => {
  const pool = await poolWithWeb(2);
  t.teardown(() => pool.close());
  pool.state.failure = noLeader;
  const start = run(['vm', 'start', 'web', ...at(pool)]);
  await until(() => start.stderr === 'waiting for the pool: the pool database has no leader\n');
  pool.state.failure = undefined;
  t.is(await start.exitCode, 0);
  t.is(pool.state.all('operation').length, 1);
});

test('the status of a pool without a leader is exit code 3, not a long wait', async (t) => {
  const pool = await poolWithWeb(2);
  t.teardown(() => pool.close());
  pool.state.failure = noLeader;
  const status = run(['pool', 'status', '--json', ...at(pool)]);
  t.is(await status.exitCode, 3);
  t.is(JSON.parse(status.stderr).error.reason, 'DATABASE_UNAVAILABLE');
});

test('plain text to another machine is refused', async (t) => {
  const list = run(['vm', 'list', '--pool', '192.0.2.1:7001']);
  t.is(await list.exitCode, 2);
  t.regex(list.stderr, /plain text is for this machine only\nwhat to do: .*--identity/);
});
