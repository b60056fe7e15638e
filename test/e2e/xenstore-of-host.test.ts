import { join } from 'node:path';
import test from 'ava';
import { PoolProcess } from './pool-process.ts';

test('the xenstore of each host of a pool is reached by its name', async (t) => {
  t.timeout(600_000);
  const pool = new PoolProcess();
  t.teardown(() => pool.dispose());
  await pool.start('--hosts', '2', '--hypervisor', 'simulated');
  const written = await pool.run('xenstore', 'write', '--host', 'host-1', '/e2e/a', 'of host-1');
  t.is(written.code, 0, written.stderr);
  const nodes = await pool.json<readonly { readonly path: string }[]>(
    ...['xenstore', 'ls', '/e2e', '--host', 'host-1'],
  );
  t.deepEqual(nodes, [{ path: '/e2e/a', value: 'of host-1', permissions: ['n0'] }]);
  const other = await pool.run('xenstore', 'exists', '--host', 'host-2', '/e2e/a');
  t.is(other.code, 4, 'each host has its own');

  const socket = join(pool.directory, 'host-1', 'xenstored.sock');
  const local = await pool.run('xenstore', 'read', '--socket', socket, '/e2e/a');
  t.is(local.stdout, 'of host-1\n', 'the socket leads to the same nodes');
});
