import test from 'ava';
import { seededRandom } from '../../base/random.ts';
import { ConsensusCluster, loopbackAddresses } from './consensus-cluster.ts';
import { Wires } from './network/wires.ts';
import { type Fault, strikeAll } from './workload/faults.ts';
import {
  allSeparated,
  bridgeLeft,
  followerSeparated,
  leaderSeparated,
} from './workload/partitions.ts';
import { runWorkload } from './workload/workload.ts';

let wires: Wires | null = null;
let cluster: ConsensusCluster | null = null;

test.before(async (t) => {
  t.timeout(120_000);
  const addresses = await loopbackAddresses(3);
  const between = await Wires.between(addresses);
  wires = between;
  const route = (from: number, to: number) => between.route(from, to);
  cluster = await ConsensusCluster.start(3, { addresses, route });
});
test.after.always(async () => {
  await cluster?.close();
  wires?.close();
});

/**
 * Clients see one store, and lose nothing, while the network fails in these ways, of which as many
 * make the others elect.
 */
function survives(
  title: string,
  elections: number,
  faults: (network: Wires) => readonly Fault[],
): void {
  test.serial(title, async (t) => {
    t.timeout(180_000);
    if (cluster === null || wires === null) throw new Error('the cluster did not start');
    const [running, list] = [cluster, faults(wires)];
    const outcome = await runWorkload(running, list.length, () =>
      strikeAll(running, seededRandom(list.length), list),
    );
    t.log(outcome);
    t.deepEqual(outcome.problems, []);
    t.true(outcome.acknowledged > 50);
    t.true(outcome.elections >= elections, 'the faults have had their effect');
  });
}

survives('clients see one store while the leader is cut off', 2, (network) => [
  leaderSeparated(network, 'closed'),
  leaderSeparated(network, 'silent'),
]);

survives('clients see one store while the leader is not heard, or does not hear', 2, (network) => [
  leaderSeparated(network, 'mute'),
  leaderSeparated(network, 'deaf'),
]);

survives('clients see one store while other ways between members fail', 1, (network) => [
  followerSeparated(network, 'silent'),
  bridgeLeft(network, 'silent'),
  allSeparated(network, 'closed'),
]);
