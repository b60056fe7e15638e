import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { answer, PoolDatabaseClient, patience, utf8 } from '../contract/pool-database-client.ts';
import { ConsensusCluster } from './consensus-cluster.ts';

/** Values that fill a segment of the log, of 8 MiB, after some hundred and thirty. */
const bulk = Buffer.alloc(64 * 2 ** 10, 'v');

test('a member whose disk fails says so and ends, for a start reads what is really there', async (t) => {
  t.timeout(120_000);
  const cluster = await ConsensusCluster.start(1);
  t.teardown(() => cluster.close());
  const [member] = cluster.members;
  if (member === undefined) throw new Error('there is a member');
  const client = new PoolDatabaseClient(member.endpoint);
  t.teardown(() => client.close());
  await answer(client.kv.put({ key: utf8('/a') }, patience));
  const directory = member.told('--data-dir');
  // The log goes on in its open file, and fails when it needs another.
  await rm(join(directory, 'log'), { recursive: true });
  while (member.isRunning) {
    const put = await client.kv.put({ key: utf8('/bulk'), value: bulk }, patience);
    if (!put.ok) break;
  }
  t.is(await member.ended(), 1);
  t.regex(member.output, /error: .*log.* ENOENT/);
});
