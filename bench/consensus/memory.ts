import { type Memory, memoryOf } from '../usage.ts';
import type { Contestant } from './contestant.ts';
import { runLoads } from './h2load.ts';

/** Puts under way while memory is filled. */
const inFlight = 100;

/**
 * What is being written and freed comes to an end, in milliseconds: longer than the rest after which one
 * of our members gives back what it does not need (`consensus/adapters/collect-at-rest.ts`).
 */
export const rest = 45_000;

/** Writes so many values at the leader. */
export async function fill(contestant: Contestant, puts: number, directory: string): Promise<void> {
  const { endpoint } = await contestant.settled();
  await runLoads(
    [{ request: 'put', endpoint, inFlight, firstKey: 0 }],
    { kind: 'calls', calls: puts },
    directory,
    { measuring: () => {}, measured: () => {} },
  );
}

/** What each member holds now, the leader first. */
export async function memoryOfMembers(contestant: Contestant): Promise<Memory[]> {
  const leader = await contestant.settled();
  const followers = contestant.members.filter((member) => member !== leader);
  return [leader, ...followers].map(({ pid }) => memoryOf(pid));
}
