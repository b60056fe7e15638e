import test from 'ava';
import { seededRandom } from '../../base/random.ts';
import { ConsensusCluster } from './consensus-cluster.ts';
import { memberReplaced, processFaults, strikeAll } from './workload/faults.ts';
import { runWorkload } from './workload/workload.ts';

test('clients see one store while members lose their disks and are replaced', async (t) => {
  t.timeout(180_000);
  const cluster = await ConsensusCluster.start(3);
  try {
    const faults = [memberReplaced, processFaults.leaderKilled, memberReplaced];
    const outcome = await runWorkload(cluster, 1, () =>
      strikeAll(cluster, seededRandom(1), faults),
    );
    t.log(outcome);
    t.deepEqual(outcome.problems, []);
    t.true(outcome.acknowledged > 50);
    t.true(outcome.elections >= 1, 'the faults have had their effect');
  } finally {
    await cluster.close();
  }
});
