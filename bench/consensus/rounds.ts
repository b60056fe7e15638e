import { median } from '../statistics.ts';
import { cpuMicroseconds } from '../usage.ts';
import type { Request } from './bodies.ts';
import type { Contestant, Name } from './contestant.ts';
import { type Extent, type Load, type Outcome, runLoads } from './h2load.ts';
import { preloadedKeys } from './preload.ts';

/** What is measured of each contestant, in turns. */
export interface Measure {
  readonly title: string;
  readonly parts: readonly { readonly request: Request; readonly inFlight: number }[];
  readonly at: 'leader' | 'follower';
}

/** How many calls are under way at a time, each from the one to the next answer. */
export const concurrencies = [1, 10, 100, 1000];

const each = (title: string, request: Request, at: Measure['at'] = 'leader'): Measure[] =>
  concurrencies.map((inFlight) => ({
    title: `${title}, ${inFlight} in flight`,
    parts: [{ request, inFlight }],
    at,
  }));

/** What a busy pool may look like. */
export const mixed: Measure = {
  title: 'mixed: 20 puts, 80 linearizable reads in flight',
  parts: [
    { request: 'put', inFlight: 20 },
    { request: 'linearizable read', inFlight: 80 },
  ],
  at: 'leader',
};

/** Everything that is measured, in this order. */
export const measures: readonly Measure[] = [
  ...each('put', 'put'),
  ...each('linearizable read', 'linearizable read'),
  ...each('serializable read', 'serializable read'),
  ...each('put at a follower', 'put', 'follower'),
  mixed,
];

/** What one round of one contestant gave; of several, the median of each number. */
export interface Round {
  readonly perSecond: number;
  /** In microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time for each operation, in microseconds: of the leader, and of a follower. */
  readonly leaderCpu: number;
  readonly followerCpu: number;
}

/** Runs a measure once on a contestant. `turn` chooses keys that no other turn has. */
export async function runRound(
  contestant: Contestant,
  measure: Measure,
  seconds: number,
  directory: string,
  turn: number,
): Promise<Round> {
  const leader = await contestant.settled();
  const followers = contestant.members.filter((member) => member !== leader);
  const target = measure.at === 'leader' ? leader : (followers[0] ?? leader);
  const before = await contestant.revision();
  const loads = measure.parts.map(({ request, inFlight }, part): Load => {
    const firstKey = (turn * 20 + part * 10) % preloadedKeys;
    return { request, inFlight, firstKey, endpoint: target.endpoint };
  });
  const usage = () => [leader, ...followers].map(({ pid }) => cpuMicroseconds(pid));
  let [atStart, atEnd]: [number[], number[]] = [[], []];
  const extent: Extent = { kind: 'seconds', seconds };
  const outcomes = await runLoads(loads, extent, directory, {
    measuring: () => {
      atStart = usage();
    },
    measured: () => {
      atEnd = usage();
    },
  });
  await checkPuts(contestant, measure, outcomes, before);
  const latencies = merged(outcomes);
  const spent = atEnd.map((end, at) => (end - (atStart[at] ?? 0)) / latencies.length);
  const [leaderCpu = Number.NaN, ...others] = spent;
  return {
    perSecond: latencies.length / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    leaderCpu,
    followerCpu: others.reduce((sum, one) => sum + one, 0) / others.length,
  };
}

/** Every put that was answered has made a revision: none of the answers was an error. */
async function checkPuts(
  contestant: Contestant,
  { title, parts }: Measure,
  outcomes: readonly Outcome[],
  before: number,
): Promise<void> {
  const puts = outcomes.reduce(
    (sum, { operations }, part) => sum + (parts[part]?.request === 'put' ? operations : 0),
    0,
  );
  const made = (await contestant.revision()) - before;
  if (made < puts)
    throw new Error(`${contestant.name}: ${title}: ${puts} answers, but ${made} revisions`);
}

function merged(outcomes: readonly Outcome[]): Float64Array {
  return Float64Array.from(outcomes.flatMap(({ latencies }) => [...latencies])).sort();
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The rounds of a measure, by contestant. */
export type Rounds = Readonly<Record<Name, readonly Round[]>>;

/** The median of each number. */
export function middle(rounds: readonly Round[]): Round {
  const of = (read: (round: Round) => number) => median(rounds.map(read));
  return {
    perSecond: of((round) => round.perSecond),
    p50: of((round) => round.p50),
    p99: of((round) => round.p99),
    leaderCpu: of((round) => round.leaderCpu),
    followerCpu: of((round) => round.followerCpu),
  };
}
