import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import { holds, newPool, whileWriting } from './growing-pool.ts';

const patient = { timeout: milliseconds(10_000) };

test.serial(
  'a pool of one grows to five under writes, and leaders and dead members leave it',
  async (t) => {
    const pool = await newPool(t);
    await pool.begin('a');
    const { acknowledged } = await whileWriting(pool, 'w/', async () => {
      for (const name of ['b', 'c']) await pool.join(name);
      await pool.shows('a', 'b', 'c');
      for (const name of ['d', 'e']) await pool.join(name);
      await pool.shows('a', 'b', 'c', 'd', 'e');

      const first = await pool.leader();
      const id = await pool.idOf(first.name);
      await pool.call((client) => client.cluster.memberRemove({ ID: id }, patient));
      t.is(await first.process.ended(), 2, 'starting it again would not help');
      t.regex(first.process.output, /was removed from the pool.*--initial-cluster-state existing/);
      pool.members.delete(first.name);

      const [dead] = pool.members.values();
      if (dead === undefined) throw new Error('somebody is left');
      const deadId = await pool.idOf(dead.name);
      await dead.process.end('SIGKILL');
      await pool.call((client) => client.cluster.memberRemove({ ID: deadId }, patient));
      pool.members.delete(dead.name);
      await pool.join('f');
      await pool.shows(...pool.members.keys());
      await dead.process.start();
      t.is(await dead.process.ended(), 2);
      t.regex(dead.process.output, /was removed from the pool/);
    });
    await holds(t, pool, 'w/', acknowledged, ...pool.members.keys());
    t.is((await pool.list()).length, 4);
  },
);
