import test, { type ExecutionContext } from 'ava';
import { run, until } from './testing/run.ts';
import { type SimulatedPool, simulatedPool } from './testing/simulated-pool.ts';
import { simulatedVm } from './testing/simulated-state.ts';

async function poolWithWeb(t: ExecutionContext): Promise<SimulatedPool> {
  const pool = await simulatedPool();
  t.teardown(() => pool.close());
  pool.state.put('vm', simulatedVm(pool.state, { name: 'web', disks: [{ size: 2 ** 30 }] }));
  return pool;
}

function at(pool: SimulatedPool): readonly string[] {
  return ['--pool', pool.addresses.join(',')];
}

test('Ctrl-C while waiting says that the operation goes on, and how to watch or cancel it', async (t) => {
  const pool = await poolWithWeb(t);
  pool.operations.hold('build the domain');
  const start = run(['vm', 'start', 'web', ...at(pool)]);
  await until(() => start.stderr.includes('begun: build the domain'));
  start.interrupt();
  t.is(await start.exitCode, 130);
  const id = pool.state.all('operation')[0]?.id;
  t.true(start.stderr.includes('interrupted: vm.start web goes on in the pool'));
  t.true(start.stderr.includes(`flotilla operation watch ${id}`));
  t.true(start.stderr.includes(`flotilla operation cancel ${id}`));
  t.is(start.stdout, '');
});

test('--timeout ends the waiting with exit code 5, not the operation', async (t) => {
  const pool = await poolWithWeb(t);
  const release = pool.operations.hold('build the domain');
  const start = run(['vm', 'start', 'web', '--timeout', '2s', '--json', ...at(pool)]);
  t.is(await start.exitCode, 5);
  t.is(JSON.parse(start.stderr).error.exitCode, 5);
  const id = pool.state.all('operation')[0]?.id ?? '';
  const watch = run(['operation', 'watch', id.slice(0, 8), ...at(pool)]);
  release();
  t.is(await watch.exitCode, 0);
  t.is(watch.stdout, 'vm.start web is done\n');
});

test('an operation is cancelled, and who waits for it learns that it was', async (t) => {
  const pool = await poolWithWeb(t);
  const release = pool.operations.hold('build the domain');
  const start = run(['vm', 'start', 'web', ...at(pool)]);
  await until(() => start.stderr.includes('begun: build the domain'));
  const cancel = run([
    'operation',
    'cancel',
    pool.state.all('operation')[0]?.id ?? '',
    ...at(pool),
  ]);
  await until(() => pool.state.all('operation')[0]?.cancelRequested === true);
  release();
  t.is(await cancel.exitCode, 0);
  t.is(cancel.stdout, 'vm.start web is cancelled; what it had done is undone\n');
  t.is(await start.exitCode, 1);
  t.regex(start.stderr, /error: vm.start web was cancelled; what it had done is undone/);

  const again = run(['operation', 'cancel', pool.state.all('operation')[0]?.id ?? '', ...at(pool)]);
  t.is(await again.exitCode, 1);
  t.regex(again.stderr, /has ended already/);
});

test('--no-wait prints the operation and leaves', async (t) => {
  const pool = await poolWithWeb(t);
  const start = run(['vm', 'start', 'web', '--no-wait', ...at(pool)]);
  t.is(await start.exitCode, 0);
  t.is(start.stdout, `vm.start web: operation ${pool.state.all('operation')[0]?.id}\n`);
});

test('a terminal sees the steps drawn over in place, and the cursor again at the end', async (t) => {
  const pool = await poolWithWeb(t);
  const start = run(['vm', 'start', 'web', ...at(pool)], { terminal: true });
  t.is(await start.exitCode, 0);
  t.regex(start.stderr, /✓ attach disk xvda.*\n {2}✓ build the domain.*\n {2}✓ let the guest run/);
  t.true(start.stderr.startsWith('\x1b[?25l'));
  t.true(start.stderr.endsWith('\x1b[?25h'));
  t.is(start.stdout, 'web is Running on host-1\n');
});

test('deleting asks on a terminal, and only "y" is yes', async (t) => {
  const pool = await poolWithWeb(t);
  const refuse = run(['vm', 'delete', 'web', ...at(pool)], { terminal: true });
  refuse.stdin.write('n\n');
  t.is(await refuse.exitCode, 1);
  t.regex(refuse.stderr, /^Delete web, and with it its disk\? \[y\/N\] /);
  t.is(pool.state.all('vm').length, 1);

  const agree = run(['vm', 'delete', 'web', ...at(pool)], { terminal: true });
  agree.stdin.write('y\n');
  t.is(await agree.exitCode, 0);
  t.is(pool.state.all('vm').length, 0);
});

test('vm list --watch prints a line for each change where it is not on a terminal', async (t) => {
  const pool = await poolWithWeb(t);
  const watch = run(['vm', 'list', '--watch', ...at(pool)]);
  await until(() => watch.stdout.includes('web'));
  t.is(await run(['vm', 'start', 'web', ...at(pool)]).exitCode, 0);
  await until(() => watch.stdout.includes('Running'));
  watch.interrupt();
  t.is(await watch.exitCode, 130);
  t.is(watch.stdout, '12:00:00  web  is Halted\n12:00:00  web  Halted -> Running on host-1\n');
});

test('vm list --watch draws the table again in place on a terminal', async (t) => {
  const pool = await poolWithWeb(t);
  const watch = run(['vm', 'list', '--watch', ...at(pool)], { terminal: true });
  await until(() => /web +Halted/.test(watch.stdout));
  t.is(await run(['vm', 'start', 'web', ...at(pool)]).exitCode, 0);
  await until(() => /web +Running/.test(watch.stdout));
  watch.interrupt();
  t.is(await watch.exitCode, 130);
  t.true(watch.stdout.includes('\x1b[1A'));
  t.true(watch.stdout.endsWith('\x1b[?25h'));
});

test('watching one VM ends when it is deleted', async (t) => {
  const pool = await poolWithWeb(t);
  const watch = run(['vm', 'watch', 'web', ...at(pool)]);
  await until(() => watch.stdout.includes('web'));
  pool.state.put('vm', simulatedVm(pool.state, { name: 'db' }));
  pool.state.remove('vm', pool.state.find('vm', 'web')?.id ?? '');
  t.is(await watch.exitCode, 0);
  t.is(watch.stdout, '12:00:00  web  is Halted\n12:00:00  web  deleted\n');
});
