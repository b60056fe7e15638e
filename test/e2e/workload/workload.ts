import { present } from '../../../base/assert.ts';
import { seededRandom } from '../../../base/random.ts';
import { PoolDatabaseClient, patience, text } from '../../contract/pool-database-client.ts';
import type { ConsensusCluster } from '../consensus-cluster.ts';
import { WorkloadClient } from './client.ts';
import { served } from './endpoint.ts';
import { LeaseUser } from './leases.ts';
import { now, type Trace, type UsedLease } from './trace.ts';
import { type Content, problemsOf } from './verdict.ts';
import { Watcher } from './watcher.ts';

/** Two clients at each member of three: one that stays there, and one that roams. */
const clientCount = 6;

/** Few keys, so that clients meet; enough that the search for an order stays short. */
const keyCount = 6;

const leaseUserCount = 4;

/** How long the members may take at the end to settle what the faults have left. */
const settling = 60_000;

/** A lease may last longer than it must by a few elections, each of which begins its time anew. */
const leaseSlack = 10_000;

/** What a workload comes to. */
export interface Outcome {
  /** What is wrong, in sentences: none in a correct database. */
  readonly problems: readonly string[];
  readonly acknowledged: number;
  readonly unknown: number;
  /** Leases that ended by themselves, or should have. */
  readonly leases: number;
  /** By how much the term has risen. */
  readonly elections: number;
}

let runs = 0;

/**
 * Has clients at all members write, read, watch and hold leases while `faults` happen, and then
 * judges everything that they saw: see `problemsOf`. Keys are new to each run, so that one cluster
 * serves several.
 */
export async function runWorkload(
  cluster: ConsensusCluster,
  seed: number,
  faults: () => Promise<void>,
): Promise<Outcome> {
  runs += 1;
  const prefix = `/workload-${runs}/`;
  const random = seededRandom(seed);
  const { endpoints, credentials } = cluster;
  await cluster.serving();
  const before = await headerOf(cluster);
  const watcher = new Watcher(endpoints, credentials, prefix, before.revision + 1);
  const keys = Array.from({ length: keyCount }, (_, index) => `${prefix}${index}`);
  const clients = Array.from(
    { length: clientCount },
    (_, index) => new WorkloadClient(index, { endpoints, credentials, keys }, random.fork()),
  );
  const leaseUsers = Array.from(
    { length: leaseUserCount },
    (_, index) => new LeaseUser(endpoints, credentials, `${prefix}lease-${index}-`, random.fork()),
  );
  let isOver = false;
  const working = Promise.all([...clients, ...leaseUsers].map((each) => each.run(() => isOver)));
  try {
    await faults();
  } catch (error) {
    watcher.close();
    throw error;
  } finally {
    isOver = true;
    await working;
  }
  await cluster.serving();
  const released = await releaseLeases(cluster, `${prefix}lease-`);
  const finals = await settle(cluster, prefix, watcher);
  watcher.close();
  const leases = leaseUsers.flatMap(({ used }) =>
    used.filter((lease) => !mayLast(lease, released)),
  );
  const trace: Trace = {
    history: clients.flatMap(({ history }) => history),
    refused: new Set(clients.flatMap(({ refused }) => [...refused])),
    watched: watcher.events,
    watchProblems: watcher.problems,
    leases,
  };
  const unknown = trace.history.filter(({ returned }) => returned === null).length;
  return {
    problems: problemsOf(trace, finals),
    acknowledged: trace.history.length - unknown,
    unknown,
    leases: leases.length,
    elections: (await headerOf(cluster)).term - before.term,
  };
}

async function headerOf(cluster: ConsensusCluster): Promise<{ revision: number; term: number }> {
  const client = clientOf(cluster, 0);
  const { header } = await served(() => client.get('no such key'));
  client.close();
  return { revision: Number(header?.revision), term: Number(header?.raftTerm) };
}

/** Ends the leases that are left, and says when; a lease that has ended by itself is not among them. */
async function releaseLeases(
  cluster: ConsensusCluster,
  prefix: string,
): Promise<ReadonlyMap<string, number>> {
  const client = clientOf(cluster, 0);
  const released = new Map<string, number>();
  for (const { key, lease } of (await served(() => client.getPrefix(prefix))).kvs) {
    released.set(text(key), now());
    // It may end by itself just now.
    await client.lease.leaseRevoke({ ID: lease }, patience);
  }
  client.close();
  return released;
}

/** Whether a lease that was released before its end need not have ended by then. */
function mayLast({ key, ttl, renewed }: UsedLease, released: ReadonlyMap<string, number>): boolean {
  const at = released.get(key);
  return at !== undefined && at < renewed + ttl + leaseSlack;
}

/** Waits until the watcher has caught up; then reads every member. */
async function settle(
  cluster: ConsensusCluster,
  prefix: string,
  watcher: Watcher,
): Promise<ReadonlyMap<string, Content>> {
  const finals = new Map<string, Content>();
  for (const [index, endpoint] of cluster.endpoints.entries()) {
    const client = clientOf(cluster, index);
    const read = await served(() => client.getPrefix(prefix));
    client.close();
    const revision = Number(read.header?.revision);
    if (!(await watcher.reaches(revision, settling)))
      watcher.problems.push(`the watch did not come to revision ${revision}`);
    finals.set(endpoint, new Map(read.kvs.map(({ key, value }) => [text(key), text(value)])));
  }
  return finals;
}

function clientOf(cluster: ConsensusCluster, index: number): PoolDatabaseClient {
  const endpoint = present(cluster.endpoints[index], 'a cluster has this member');
  return new PoolDatabaseClient(endpoint, cluster.credentials);
}
