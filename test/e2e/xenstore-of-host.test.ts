import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { PoolProcess } from './pool-process.ts';

test('the xenstore of each host of a pool is reached by its name, by those who may', async (t) => {
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

  // A service of a host, with the files that the pool issued for it.
  const identity = join(pool.directory, 'as-storage-of-host-2');
  mkdirSync(identity);
  const own = join(pool.directory, 'host-2', 'identity');
  copyFileSync(join(own, 'ca.pem'), join(identity, 'ca.pem'));
  copyFileSync(join(own, 'storage.pem'), join(identity, 'certificate.pem'));
  copyFileSync(join(own, 'storage-key.pem'), join(identity, 'key.pem'));
  const asService = (host: string, ...words: readonly string[]) =>
    pool.run('xenstore', ...words, '--host', host, '--identity', identity);
  t.is((await asService('host-2', 'read', '/tool')).code, 0);
  const refused = await asService('host-1', 'read', '/e2e/a');
  t.is(refused.code, 1);
  t.regex(refused.stderr, /host-2\/storage may not use the xenstore of host-1/);
  t.regex(refused.stderr, /what to do: show the identity of the operator/);
  const orders = await pool.run(
    ...['xenstore', 'control', '--host', 'host-2', '--identity', identity, 'check'],
  );
  t.is(orders.code, 1);
  t.regex(orders.stderr, /host-2\/storage may not give orders to xenstored/);
});
