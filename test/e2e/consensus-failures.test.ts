import { setTimeout as delay } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import {
  answer,
  PoolDatabaseClient,
  patience,
  refusal,
  text,
  utf8,
} from '../contract/pool-database-client.ts';
import { ConsensusCluster } from './consensus-cluster.ts';

let running: ConsensusCluster | null = null;

test.before(async (t) => {
  t.timeout(180_000);
  running = await ConsensusCluster.start(3);
});
test.after.always(() => running?.close());

/** The tests share one cluster, and leave it with all members running. */
async function withCluster(run: (cluster: ConsensusCluster) => Promise<void>): Promise<void> {
  if (running === null) throw new Error('the cluster did not start');
  await run(running);
}

test.serial(
  'a member that was stopped for long catches up, and its watches miss nothing',
  async (t) => {
    t.timeout(180_000);
    await withCluster(async (cluster) => {
      const leader = await cluster.leader();
      const sleeper = cluster.members.find((member) => member !== leader);
      const watching = new PoolDatabaseClient(sleeper?.endpoint ?? '');
      const writing = new PoolDatabaseClient(leader.endpoint);
      const watch = watching.watch();
      await watch.create({ key: utf8('/w'), rangeEnd: utf8('/x') });
      await writing.put('/w', '0');
      t.is((await watch.events(1)).length, 1);
      sleeper?.signal('SIGSTOP');
      // More than a member keeps of its log: the sleeper needs a snapshot.
      for (let batch = 0; batch < 44; batch += 1)
        await Promise.all(
          Array.from({ length: 500 }, (_, index) => writing.put('/w', `${batch * 500 + index}`)),
        );
      sleeper?.signal('SIGCONT');
      const events = await watch.events(22_000);
      const revisions = events.map(({ kv }) => Number(kv?.modRevision));
      t.deepEqual(
        revisions,
        Array.from({ length: 22_000 }, (_, index) => (revisions[0] ?? 0) + index),
      );
      watching.close();
      writing.close();
    });
  },
);

test.serial(
  'who requires a leader is refused without one, others wait, and all read',
  async (t) => {
    t.timeout(180_000);
    await withCluster(async (cluster) => {
      const [first, ...others] = cluster.members;
      const client = new PoolDatabaseClient(first?.endpoint ?? '');
      await client.put('/a', '1');
      await client.get('/a');
      const metadata = new Metadata();
      metadata.set('hasleader', 'true');
      await Promise.all(others.map((member) => member.end('SIGKILL')));
      const noLeader = 'UNAVAILABLE etcdserver: no leader';
      const required = { ...patience, metadata };
      const put = (settings = required) =>
        client.kv.put({ key: utf8('/a'), value: utf8('2') }, settings);
      // The first may be under way while the member finds out.
      while ((await refusal(put())) !== noLeader) await delay(100);
      t.is(await refusal(put()), noLeader);
      t.is(await refusal(client.kv.range({ key: utf8('/a') }, required)), noLeader);
      t.is(await refusal(client.lease.leaseGrant({ TTL: 10n }, required)), noLeader);
      t.is(await refusal(put({ ...patience, metadata: new Metadata() })), noLeader, 'in the end');
      const local = await client.get('/a', { serializable: true });
      t.is(text(local.kvs[0]?.value), '1');
      const status = await answer(client.maintenance.status({}, patience));
      t.deepEqual([status.leader, status.errors], [0n, ['etcdserver: no leader']]);
      await Promise.all(others.map((member) => member.start()));
      await cluster.serving();
      await client.put('/a', '3');
      t.is(text((await client.get('/a')).kvs[0]?.value), '3');
      client.close();
    });
  },
);

test.serial('a lease that is renewed outlives the leader, and one that is not ends', async (t) => {
  t.timeout(180_000);
  await withCluster(async (cluster) => {
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader);
    const client = new PoolDatabaseClient(follower?.endpoint ?? '');
    const { ID: kept } = await answer(client.lease.leaseGrant({ TTL: 5n }, patience));
    const { ID: left } = await answer(client.lease.leaseGrant({ TTL: 5n }, patience));
    await client.put('/kept', '1', kept);
    await client.put('/left', '1', left);
    const watch = client.watch();
    await watch.create({ key: utf8('/left') });
    const stream = client.lease.leaseKeepAlive();
    stream.on('error', () => {});
    const renewing = setInterval(() => stream.write({ ID: kept }), 500);
    await leader.end('SIGKILL');
    const [event] = await watch.events(1);
    clearInterval(renewing);
    t.is(event?.type, 'DELETE');
    t.is((await client.get('/kept')).count, 1n);
    client.close();
    await leader.start();
    await cluster.serving();
  });
});

test.serial('a member that is asked to end does so cleanly', async (t) => {
  t.timeout(180_000);
  await withCluster(async (cluster) => {
    const client = new PoolDatabaseClient(cluster.endpoints[0] ?? '');
    const watch = client.watch();
    await watch.create({ key: utf8('/a') });
    const codes = await Promise.all(cluster.members.map((member) => member.end('SIGTERM')));
    t.deepEqual(codes, [0, 0, 0]);
    await t.throwsAsync(watch.next(), { message: /UNAVAILABLE/ });
    client.close();
  });
});
