import test from 'ava';
import { seededRandom } from '../../base/random.ts';
import { ConsensusCluster } from './consensus-cluster.ts';
import { type Fault, processFaults, strikeAll } from './workload/faults.ts';
import { runWorkload } from './workload/workload.ts';

const {
  leaderKilled,
  followerKilled,
  followersKilled,
  allKilled,
  leaderStopped,
  followerStopped,
  allStopped,
} = processFaults;

let cluster: ConsensusCluster | null = null;

test.before(async (t) => {
  t.timeout(120_000);
  cluster = await ConsensusCluster.start(3);
});
test.after.always(() => cluster?.close());

/**
 * Clients see one store, and lose nothing, while these faults strike one after another, of which as
 * many make members elect.
 */
function survives(title: string, elections: number, ...faults: readonly Fault[]): void {
  test.serial(title, async (t) => {
    t.timeout(180_000);
    if (cluster === null) throw new Error('the cluster did not start');
    const running = cluster;
    const outcome = await runWorkload(running, faults.length, () =>
      strikeAll(running, seededRandom(faults.length), faults),
    );
    t.log(outcome);
    t.deepEqual(outcome.problems, []);
    t.true(outcome.acknowledged > 50);
    t.true(outcome.elections >= elections, 'the faults have had their effect');
  });
}

survives('clients see one store while leaders are killed', 2, leaderKilled, leaderKilled);
survives(
  'clients see one store while followers are killed, and all members',
  2,
  followerKilled,
  followersKilled,
  allKilled,
);
survives(
  'clients see one store while members stand still',
  1,
  leaderStopped,
  followerStopped,
  allStopped,
);
