import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../base/random.ts';
import { PoolDatabaseClient } from '../../contract/pool-database-client.ts';
import type { ConsensusCluster } from '../consensus-cluster.ts';
import { attempt } from './endpoint.ts';
import type { Fault } from './faults.ts';

/** A network whose members can be kept from each other, and heal. */
export interface Partitioned<Separation extends string> {
  separate(members: readonly number[], count: number, how: Separation): void | Promise<void>;
  part(one: number, other: number, how: Separation): void | Promise<void>;
  heal(): void | Promise<void>;
}

/** Long enough for the rest to elect, and for the separated leader to notice. */
const apart = 1500;

/** The others have elected by then, however busy the machine is. */
const electionMax = 20_000;

/** Waits until some other member leads, by what the others say. */
async function elected(cluster: ConsensusCluster, former: number): Promise<void> {
  const until = performance.now() + electionMax;
  const others = cluster.endpoints.filter((_, index) => index !== former);
  const clients = others.map((endpoint) => new PoolDatabaseClient(endpoint, cluster.credentials));
  for (let found = false; !found && performance.now() < until; ) {
    await delay(100);
    for (const client of clients) {
      const status = await client.maintenance.status({}, attempt);
      if (status.ok && status.value.header?.memberId === status.value.leader) found = true;
    }
  }
  for (const client of clients) client.close();
}

async function leaderOf(cluster: ConsensusCluster): Promise<number> {
  return cluster.members.indexOf(await cluster.leader());
}

/** The leader is kept from all others. */
export function leaderSeparated<How extends string>(network: Partitioned<How>, how: How): Fault {
  return {
    name: `the leader is separated (${how})`,
    strike: async (cluster) => {
      const leader = await leaderOf(cluster);
      await network.separate([leader], cluster.members.length, how);
      await Promise.all([delay(apart), elected(cluster, leader)]);
      await network.heal();
    },
  };
}

/** A follower is kept from all others. */
export function followerSeparated<How extends string>(network: Partitioned<How>, how: How): Fault {
  return {
    name: `a follower is separated (${how})`,
    strike: async (cluster, random: Random) => {
      const leader = await leaderOf(cluster);
      const followers = [...cluster.members.keys()].filter((member) => member !== leader);
      await network.separate([random.pick(followers)], cluster.members.length, how);
      await delay(apart);
      await network.heal();
    },
  };
}

/** The leader and one follower do not reach each other; a third member reaches both. */
export function bridgeLeft<How extends string>(network: Partitioned<How>, how: How): Fault {
  return {
    name: `the leader and a follower are parted (${how})`,
    strike: async (cluster) => {
      const leader = await leaderOf(cluster);
      await network.part(leader, (leader + 1) % cluster.members.length, how);
      await delay(apart);
      await network.heal();
    },
  };
}

/** Nobody reaches anybody. */
export function allSeparated<How extends string>(network: Partitioned<How>, how: How): Fault {
  return {
    name: `all members are separated (${how})`,
    strike: async (cluster) => {
      const count = cluster.members.length;
      for (let member = 0; member < count; member += 1)
        await network.separate([member], count, how);
      await delay(apart);
      await network.heal();
    },
  };
}
