import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../base/random.ts';
import type { ConsensusCluster, ConsensusProcess } from '../consensus-cluster.ts';

/** One misfortune, from its beginning to its end: afterwards every member runs and is reached. */
export interface Fault {
  readonly name: string;
  strike(cluster: ConsensusCluster, random: Random): Promise<void>;
}

/** Longer than any election, so that the rest has gone on without whoever is away. */
const away = 1000;

/** As long as a leader may be stopped before it is a burden: several election time-outs. */
const asleep = 1500;

async function killed(members: readonly ConsensusProcess[]): Promise<void> {
  await Promise.all(members.map((member) => member.end('SIGKILL')));
  await delay(away);
  await Promise.all(members.map((member) => member.start()));
}

async function stopped(members: readonly ConsensusProcess[]): Promise<void> {
  for (const member of members) member.signal('SIGSTOP');
  await delay(asleep);
  for (const member of members) member.signal('SIGCONT');
}

async function followers(cluster: ConsensusCluster): Promise<readonly ConsensusProcess[]> {
  const leader = await cluster.leader();
  return cluster.members.filter((member) => member !== leader);
}

/** Processes that end, or stand still. */
export const processFaults = {
  leaderKilled: {
    name: 'the leader is killed',
    strike: async (cluster) => killed([await cluster.leader()]),
  },
  followerKilled: {
    name: 'a follower is killed',
    strike: async (cluster, random) => killed([random.pick(await followers(cluster))]),
  },
  followersKilled: {
    name: 'all followers are killed',
    strike: async (cluster) => killed(await followers(cluster)),
  },
  allKilled: {
    name: 'all members are killed',
    strike: (cluster) => killed(cluster.members),
  },
  leaderStopped: {
    name: 'the leader stands still',
    strike: async (cluster) => stopped([await cluster.leader()]),
  },
  followerStopped: {
    name: 'a follower stands still',
    strike: async (cluster, random) => stopped([random.pick(await followers(cluster))]),
  },
  allStopped: {
    name: 'all members stand still',
    strike: (cluster) => stopped(cluster.members),
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** A member that is lost with its disk, and replaced by a new one. */
export const memberReplaced: Fault = {
  name: 'a member is replaced',
  strike: async (cluster, random) => {
    await cluster.replace(random.pick(cluster.members));
    await cluster.serving();
  },
};

/** Lets some faults strike, with time in between for the members to find together. */
export async function strikeAll(
  cluster: ConsensusCluster,
  random: Random,
  faults: readonly Fault[],
): Promise<void> {
  for (const fault of faults) {
    await delay(quiet);
    await fault.strike(cluster, random);
  }
  await delay(quiet);
}

/** Time between faults in which clients are served. */
const quiet = 400;
