import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import {
  answer,
  PoolDatabaseClient,
  patience,
  refusal,
  text,
  utf8,
} from '../contract/pool-database-client.ts';
import { ConsensusCluster, type ConsensusProcess } from './consensus-cluster.ts';
import { served } from './workload/endpoint.ts';
import { SmallDisk } from './workload/small-disk.ts';
import { runWorkload } from './workload/workload.ts';

/** MiB: room for a few segments of the log, beside the filler that takes it away. */
const disk = SmallDisk.mount(64);
const withDisk = disk === null ? test.skip : test.serial;

/** Values that fill a segment of the log within a second or two. */
const bulk = Buffer.alloc(64 * 2 ** 10, 'v');

const noSpace = 'RESOURCE_EXHAUSTED etcdserver: mvcc: database space exceeded';

let cluster: ConsensusCluster | null = null;

test.before(async (t) => {
  t.timeout(120_000);
  const directory = disk?.directory ?? null;
  if (directory === null) return;
  // The member with the small disk is m0.
  cluster = await ConsensusCluster.start(3, {
    dataDir: (index) => (index === 0 ? directory : null),
  });
});
test.after.always(async () => {
  await cluster?.close();
  disk?.unmount();
});

async function memberIdOf(member: ConsensusProcess): Promise<bigint> {
  const client = new PoolDatabaseClient(member.endpoint);
  const { header } = await answer(client.maintenance.status({}, patience));
  client.close();
  return header?.memberId ?? 0n;
}

async function leadBy(running: ConsensusCluster, wanted: ConsensusProcess): Promise<void> {
  const targetID = await memberIdOf(wanted);
  for (let leader = await running.leader(); leader !== wanted; leader = await running.leader()) {
    const client = new PoolDatabaseClient(leader.endpoint);
    await client.maintenance.moveLeader({ targetID }, patience);
    client.close();
  }
}

/** Fills the disk, then what the log had made room for, until the member takes no writes. */
async function fillUp(small: PoolDatabaseClient, other: PoolDatabaseClient, full: SmallDisk) {
  full.fill();
  while ((await refusal(small.kv.put({ key: utf8('/a') }, patience))) !== noSpace)
    for (let count = 0; count < 8; count += 1)
      await other.kv.put({ key: utf8('/bulk'), value: bulk }, patience);
}

for (const role of ['follower', 'leader'] as const)
  withDisk(
    `a ${role} whose disk is full reads only and says so, and recovers with room (needs root)`,
    async (t) => {
      t.timeout(180_000);
      if (cluster === null || disk === null) throw new Error('the cluster did not start');
      const [running, full] = [cluster, disk];
      const [first, second] = running.members;
      if (first === undefined || second === undefined) throw new Error('there are three members');
      await leadBy(running, role === 'leader' ? first : second);
      const small = new PoolDatabaseClient(first.endpoint);
      const other = new PoolDatabaseClient(second.endpoint);
      t.teardown(() => {
        full.clear();
        small.close();
        other.close();
      });
      const outcome = await runWorkload(running, 1, async () => {
        await served(() => small.put('/before', role));
        await fillUp(small, other, full);
        const status = await served(() => answer(small.maintenance.status({}, patience)));
        t.regex(status.errors.join(), /alarm:NOSPACE/);
        await served(() => other.put('/full', role));
        // What was written since is not here: the log has no room for it. The past is.
        const past = await small.get('/before', { serializable: true });
        t.is(text(past.kvs[0]?.value), role);
        t.is(text((await served(() => other.get('/full'))).kvs[0]?.value), role);
        t.not(await running.leader(), first, 'who cannot write does not lead');
        full.clear();
        while ((await refusal(small.kv.put({ key: utf8('/a') }, patience))) === noSpace)
          await delay(50);
        const alarms = await served(() => answer(small.maintenance.alarm({}, patience)));
        t.deepEqual(alarms.alarms, []);
      });
      t.log(outcome);
      t.deepEqual(outcome.problems, []);
      t.true(outcome.acknowledged > 50);
    },
  );
