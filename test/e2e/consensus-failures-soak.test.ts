import test from 'ava';
import { seededRandom } from '../../base/random.ts';
import { ConsensusCluster, loopbackAddresses } from './consensus-cluster.ts';
import { type Separation, Wires } from './network/wires.ts';
import { type Fault, processFaults, strikeAll } from './workload/faults.ts';
import {
  allSeparated,
  bridgeLeft,
  followerSeparated,
  leaderSeparated,
} from './workload/partitions.ts';
import { runWorkload } from './workload/workload.ts';

/** `FLOTILLA_LONG=SECONDS` lets faults strike for so long; `FLOTILLA_SEED=N` chooses them. */
const duration = Number(process.env.FLOTILLA_LONG ?? 0) * 1000;
const firstSeed = Number(process.env.FLOTILLA_SEED ?? 1);
const soak = duration > 0 ? test : test.skip;

/** Faults of one run of the workload, whose history is judged as a whole. */
const faultsPerRun = 5;

const separations: readonly Separation[] = ['closed', 'silent', 'mute', 'deaf'];

/** Every misfortune that members with wires between them know. */
function misfortunes(wires: Wires): readonly Fault[] {
  return [
    ...Object.values(processFaults),
    ...separations.flatMap((how) => [
      leaderSeparated(wires, how),
      followerSeparated(wires, how),
      bridgeLeft(wires, how),
      allSeparated(wires, how),
    ]),
  ];
}

soak('clients see one store whatever happens, for long (FLOTILLA_LONG=SECONDS)', async (t) => {
  t.timeout(2 * duration + 180_000);
  const addresses = await loopbackAddresses(3);
  const wires = await Wires.between(addresses);
  const cluster = await ConsensusCluster.start(3, {
    addresses,
    route: (from, to) => wires.route(from, to),
  });
  t.teardown(async () => {
    await cluster.close();
    wires.close();
  });
  const until = performance.now() + duration;
  for (let seed = firstSeed; performance.now() < until; seed += 1) {
    const random = seededRandom(seed);
    const faults = Array.from({ length: faultsPerRun }, () => random.pick(misfortunes(wires)));
    const outcome = await runWorkload(cluster, seed, () => strikeAll(cluster, random, faults));
    t.log(`seed ${seed}: ${faults.map(({ name }) => name).join(', ')}`, outcome);
    t.deepEqual(
      outcome.problems,
      [],
      `seed ${seed}: FLOTILLA_SEED=${seed} chooses the same faults`,
    );
  }
});
