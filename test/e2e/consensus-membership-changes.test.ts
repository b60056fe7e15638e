import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import { PoolDatabaseClient, refusal } from '../contract/pool-database-client.ts';
import { loopbackAddresses } from './consensus-cluster.ts';
import { holds, newPool, whileWriting } from './growing-pool.ts';

const patient = { timeout: milliseconds(10_000) };

test.serial(
  'learners stay learners until they are promoted, and wrong changes are refused in the words of etcd',
  async (t) => {
    const pool = await newPool(t);
    await pool.begin('a');
    const client = new PoolDatabaseClient(pool.member('a').client);
    t.teardown(() => client.close());
    const { cluster } = client;

    const learner = await pool.join('l', true);
    await pool.shows('a', 'l+');
    const ID = await pool.idOf('l');
    const a = await pool.idOf('a');
    const peerURLs = [`http://${learner.peer}`];
    t.is(
      await refusal(cluster.memberAdd({ peerURLs }, patient)),
      'FAILED_PRECONDITION etcdserver: Peer URLs already exists',
    );
    t.is(
      await refusal(cluster.memberUpdate({ ID: a, peerURLs }, patient)),
      'FAILED_PRECONDITION etcdserver: Peer URLs already exists',
    );
    for (const wrong of [[], ['h:1'], ['https://h:1'], ['http://h:0']])
      t.is(
        await refusal(cluster.memberAdd({ peerURLs: wrong }, patient)),
        'INVALID_ARGUMENT etcdserver: given member URLs are invalid',
      );
    for (const unknown of [0n, 5n, 2n ** 63n])
      t.is(
        await refusal(cluster.memberRemove({ ID: unknown }, patient)),
        'NOT_FOUND etcdserver: member not found',
      );
    t.is(
      await refusal(cluster.memberPromote({ ID: a }, patient)),
      'FAILED_PRECONDITION etcdserver: can only promote a learner member',
    );
    const gone = await cluster.memberAdd(
      { peerURLs: ['http://127.0.0.1:1'], isLearner: true },
      patient,
    );
    const absent = gone.ok ? (gone.value.member?.ID ?? 0n) : 0n;
    t.is(
      await refusal(cluster.memberPromote({ ID: absent }, patient)),
      'FAILED_PRECONDITION etcdserver: can only promote a learner member which is in sync with leader',
    );
    t.is(await refusal(cluster.memberRemove({ ID: absent }, patient)), 'served');
    t.is(
      await refusal(cluster.memberRemove({ ID: a }, patient)),
      'FAILED_PRECONDITION etcdserver: re-configuration failed due to not enough started members',
    );

    const promoted = await pool.call(() => cluster.memberPromote({ ID }, patient));
    t.deepEqual(
      promoted.members.map(({ isLearner }) => isLearner),
      [false, false],
    );
    await pool.shows('a', 'l');
    t.is(
      await refusal(cluster.memberPromote({ ID }, patient)),
      'FAILED_PRECONDITION etcdserver: can only promote a learner member',
    );
  },
);

test.serial(
  'a member that moves is followed, and one without its data does not come back by accident',
  async (t) => {
    const pool = await newPool(t);
    await pool.begin('a', 'b', 'c');
    await pool.shows('a', 'b', 'c');
    const { acknowledged } = await whileWriting(pool, 'w/', async () => {
      const c = pool.member('c');
      const ID = await pool.idOf('c');
      const [moved] = await loopbackAddresses(1);
      const peer = moved?.peer ?? '';
      const peerURLs = [`http://${peer}`];
      await c.process.end('SIGTERM');
      await pool.call((client) => client.cluster.memberUpdate({ ID, peerURLs }, patient));
      const again = pool.define('c', { client: c.client, peer }, pool.clusterWith('c', peer));
      await again.process.start();
    });
    await holds(t, pool, 'w/', acknowledged, 'c');

    const b = pool.member('b');
    await b.process.end('SIGKILL');
    const cluster = pool.clusterWith('b', b.peer);
    const empty = (more: readonly string[]) =>
      pool.define('b', b, cluster, more, pool.path('b-empty')).process.start();
    await t.throwsAsync(() => empty([]), {
      message:
        /ended with 2: .*its data directory is empty: its vote cannot be trusted. Remove it/s,
    });
    const joining = ['--initial-cluster-state', 'existing'];
    await t.throwsAsync(() => empty(joining), {
      message:
        /ended with 2: .*the data directory is empty: its vote cannot be trusted. Remove it/s,
    });
    pool.members.delete('b');
    const stranger = pool.define(
      'x',
      { ...b, peer: '127.0.0.1:1' },
      pool.clusterWith('x', '127.0.0.1:1'),
      joining,
    );
    await t.throwsAsync(() => stranger.process.start(), {
      message: /ended with 2: .*the pool has no member at 127.0.0.1:1.*add it first/s,
    });
  },
);
