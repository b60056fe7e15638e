import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { ConsensusCluster } from './consensus-cluster.ts';
import { longestGap } from './fail-over.ts';

/** What the client is served in before and after. */
const served = 300;

test('a client that retries is served again after the leader was killed', async (t) => {
  t.timeout(120_000);
  const cluster = await ConsensusCluster.start(3);
  try {
    const leader = await cluster.leader();
    const gap = await longestGap(cluster.endpoints, async () => {
      await delay(served);
      await leader.end('SIGKILL');
      await delay(served);
    });
    t.log(`longest gap: ${gap.longest.toFixed(0)} ms, ${gap.acknowledged} writes`);
    t.true(gap.acknowledged > 2);
  } finally {
    await cluster.close();
  }
});
