import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { present } from '../../base/assert.ts';
import { type Bytes, bytes, formatBytes } from '../../base/units.ts';
import { firstMemberId, poolIdentity } from '../../consensus/identity.ts';
import { PoolDatabaseClient, patience, text, utf8 } from '../contract/pool-database-client.ts';
import {
  ConsensusCluster,
  loopbackAddresses,
  type MemberAddress,
} from '../e2e/consensus-cluster.ts';
import { attackFromThread, attacksOn } from './attacker.ts';
import type { Claim } from './peer-attacks.ts';
import { endure } from './target.ts';

/** By how much a member may grow under any attack: what the bounds of its ports add up to. */
const growthMax: Bytes = bytes(768 * 2 ** 20);

/** `FLOTILLA_SEED=N` replays one seed; `FLOTILLA_LONG=SECONDS` tries one after another for so long. */
const firstSeed = Number(process.env.FLOTILLA_SEED ?? 1);
const duration = Number(process.env.FLOTILLA_LONG ?? 0) * 1000;

const names = ['m0', 'm1', 'm2'];
const token = 'flotilla';

/** What a member that lies says of itself to the first. */
const claim: Claim = {
  pool: poolIdentity(token, names).pool,
  from: firstMemberId(token, 'm2'),
  to: firstMemberId(token, 'm0'),
};

/** The one thing that a member must believe of another, and ends by itself: see SPEC R60. */
const failStop = /has lost entries that it had confirmed/;

let addresses: readonly MemberAddress[] = [];
let cluster: ConsensusCluster | null = null;

test.before(async (t) => {
  t.timeout(120_000);
  addresses = await loopbackAddresses(names.length);
  cluster = await ConsensusCluster.start(names.length, { addresses });
});
test.after.always(() => cluster?.close());

/** Seeds until the time is up, one at least. */
function* seeds(): Generator<number> {
  const until = performance.now() + duration;
  for (let seed = firstSeed; seed === firstSeed || performance.now() < until; seed += 1) yield seed;
}

async function withstands(
  t: ExecutionContext,
  port: keyof MemberAddress,
  attacks: readonly string[],
  seed: number,
): Promise<void> {
  const [member] = present(cluster, 'the cluster started').members;
  const { endpoint, pid } = present(member, 'it has members');
  const address = present(addresses[0], 'the first has addresses')[port];
  const path =
    port === 'client' ? '/etcdserverpb.KV/Range' : '/flotilla.raft.v1.PeerService/Exchange';
  let last = 'nothing';
  const endured = await endure(endpoint, present(pid, 'it runs'), () =>
    attackFromThread({ attacks, address, path, seed, claim }, (attack) => {
      last = attack;
    }),
  );
  const { served, problems, slowest, peak } = endured;
  t.deepEqual(problems, [], `seed ${seed}, at "${last}"`);
  t.true(peak < growthMax, `seed ${seed}: it grew by ${formatBytes(bytes(peak))}`);
  t.true(served > 0);
  const grown = formatBytes(bytes(Math.max(0, peak)));
  t.log(`seed ${seed}: ${served} served, the slowest in ${slowest.toFixed(0)} ms, ${grown} more`);
}

const { clients, members } = attacksOn(claim);

for (const [title, port, attacks] of [
  ['the port of clients serves on, whatever comes to it', 'client', clients],
  ['the port of members takes no harm from strangers', 'peer', members],
] as const)
  test.serial(title, async (t) => {
    t.timeout(180_000 + 2 * duration);
    for (const seed of seeds())
      await withstands(
        t,
        port,
        attacks.map(({ name }) => name),
        seed,
      );
  });

test.serial('a member that went mad corrupts nothing, and stops who notices at most', async (t) => {
  t.timeout(180_000 + 2 * duration);
  const running = present(cluster, 'the cluster started');
  const [first] = running.members;
  const member = present(first, 'it has members');
  for (const seed of seeds()) {
    await running.serving();
    const client = new PoolDatabaseClient(member.endpoint);
    const kept = { key: utf8('/kept'), value: utf8(`${seed}`) };
    // Whoever was elected last may have to be found yet.
    while (!(await client.kv.put(kept, patience)).ok) await delay(50);
    client.close();
    const address = present(addresses[0], 'the first has addresses').peer;
    const orders = { attacks: ['a member that sends anything'], address, path: '', seed, claim };
    await attackFromThread(orders, () => {});
    if (!member.isRunning) t.regex(member.output, failStop, `seed ${seed}`);
    await member.end('SIGKILL');
    await member.start();
    await running.serving();
    for (const { endpoint } of running.members) {
      const reader = new PoolDatabaseClient(endpoint);
      t.is(text((await reader.get('/kept')).kvs[0]?.value), `${seed}`, `seed ${seed}`);
      reader.close();
    }
  }
});
