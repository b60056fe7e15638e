import test from 'ava';
import { run, until } from '../testing/run.ts';
import { type SimulatedPool, simulatedPool } from '../testing/simulated-pool.ts';
import { simulatedVm } from '../testing/simulated-state.ts';

async function poolWithWeb(hosts: number): Promise<SimulatedPool> {
  const pool = await simulatedPool(hosts);
  pool.state.put('vm', simulatedVm(pool.state, { name: 'web' }));
  return pool;
}

test('a terminal is raw while the console is open, and Ctrl-] gives it back', async (t) => {
  const pool = await poolWithWeb(1);
  t.teardown(() => pool.close());
  pool.consoles.print('web', 'Linux version 6.1\r\n');
  const console = run(['vm', 'console', 'web', '--pool', pool.addresses.join(',')], {
    terminal: true,
  });
  await until(() => console.stdout.includes('Linux version 6.1'));
  t.true(console.raw);
  console.stdin.write('ls\x03\r');
  await until(() => pool.consoles.typed('web') === 'ls\x03\r');
  console.stdin.write('q\x1dnever sent');
  t.is(await console.exitCode, 0);
  t.false(console.raw);
  t.is(pool.consoles.typed('web').includes('never'), false);
});

test('without a terminal it streams, and ends when the guest halts', async (t) => {
  const pool = await poolWithWeb(1);
  t.teardown(() => pool.close());
  const console = run(['vm', 'console', 'web', '--pool', pool.addresses.join(',')]);
  console.stdin.write('echo \x1d\n');
  await until(() => pool.consoles.typed('web') === 'echo \x1d\n');
  pool.consoles.print('web', 'Power down.\r\n');
  await until(() => console.stdout.includes('Power down.'));
  pool.consoles.end('web');
  t.is(await console.exitCode, 0);
  t.is(console.stdout, 'Power down.\r\n');
  t.is(console.stderr, 'the console ended: web is Halted\n');
});

test('when the host that passes it on dies, the console goes on by another, nothing twice', async (t) => {
  const pool = await poolWithWeb(2);
  t.teardown(() => pool.close());
  pool.consoles.print('web', 'one\r\n');
  const console = run(['vm', 'console', 'web', '--pool', pool.addresses.join(',')]);
  await until(() => console.stdout === 'one\r\n');
  pool.kill(0);
  pool.consoles.print('web', 'two\r\n');
  await until(() => console.stdout.includes('two'));
  t.is(console.stdout, 'one\r\ntwo\r\n');
  console.interrupt();
  t.is(await console.exitCode, 130);
});
