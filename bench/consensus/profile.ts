import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Request } from './bodies.ts';
import { Contestant } from './contestant.ts';
import { type Extent, runLoads } from './h2load.ts';
import { preload } from './preload.ts';

/** How long each load is profiled, and what is left out at its beginning and its end, in seconds. */
const seconds = 6;
const margin = 0.5;

/** What is profiled: the hot paths, and where latency counts. */
const loads: readonly { readonly request: Request; readonly inFlight: number }[] = [
  { request: 'put', inFlight: 100 },
  { request: 'put', inFlight: 1 },
  { request: 'linearizable read', inFlight: 100 },
  { request: 'linearizable read', inFlight: 1 },
];

/** Parts of a member, by the place of the code that runs; the first that matches counts. */
const parts: readonly (readonly [string, RegExp])[] = [
  ['garbage collection', /^\(garbage collector\)/],
  ['native code: system calls, HTTP/2, streams', /^\(program\)/],
  ['grpc-js', /@grpc\/grpc-js/],
  ['protobufjs', /protobufjs|proto\/codec/],
  ['HTTP/2 in JavaScript', /node:internal\/http2/],
  ['files in JavaScript', /node:internal\/fs|node:fs/],
  ['the rest of Node', /node:/],
  ['Raft', /consensus\/core\//],
  ['driver', /consensus\/(driver\/|node\.ts)/],
  ['log and snapshots', /consensus\/adapters\/(disk|entry-codec)/],
  ['messages between members', /consensus\/adapters\/peers/],
  ["etcd's API", /consensus\/adapters\//],
  ['store', /consensus\/kv\//],
];

/** The share of each part in what a member computed, in per cent, by load. */
export type Profile = Readonly<
  Record<'leader' | 'follower', readonly (readonly [string, number])[]>
>;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Runs each load on members that write what they do into profiles; prints shares by part. */
export async function profileMembers(directory: string): Promise<void> {
  for (const load of loads) {
    const place = join(directory, `${load.request}-${load.inFlight}`.replaceAll(' ', '-'));
    const pool = await Contestant.start('flotilla', place, profiled);
    const found = await profilePool(pool, load, place).finally(() => pool.close());
    print(`${load.request}, ${load.inFlight} in flight`, found);
  }
}

async function profilePool(
  pool: Contestant,
  load: (typeof loads)[number],
  place: string,
): Promise<Profile> {
  await preload(pool);
  const leader = await pool.settled();
  const follower = pool.members.find((member) => member !== leader) ?? leader;
  const phases = { measuring: () => {}, measured: () => {} };
  const extent: Extent = { kind: 'seconds', seconds };
  await runLoads([{ ...load, endpoint: leader.endpoint, firstKey: 0 }], extent, place, phases);
  await forgetProfiles(place);
  for (const { pid } of pool.members) process.kill(pid, 'SIGTERM');
  return { leader: await read(place, leader.pid), follower: await read(place, follower.pid) };
}

/** Arguments of Node for a member that is profiled, given its directory. */
function profiled(place: string): readonly string[] {
  return ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', place];
}

/** A member begins anew once (lean-process.ts), and writes what it did until then. */
async function forgetProfiles(place: string): Promise<void> {
  const names = (await readdir(place)).filter((name) => name.endsWith('.cpuprofile'));
  await Promise.all(names.map((name) => rm(join(place, name))));
}

/** Waits for the profile of a process, and reads it. */
async function read(place: string, pid: number): Promise<readonly (readonly [string, number])[]> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const name = (await readdir(place)).find((each) => each.includes(`.${pid}.`));
    const text = name === undefined ? '' : await readFile(join(place, name), 'utf8');
    if (text.endsWith('}')) return shares(JSON.parse(text) as CpuProfile);
    await delay(100);
  }
  throw new Error(`process ${pid} wrote no profile into ${place}`);
}

/** The load was the last that the process did. */
function shares(profile: CpuProfile): readonly (readonly [string, number])[] {
  const partOf = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url } }) => {
      const text = `${functionName} ${url}`;
      const found = parts.find(([, pattern]) => pattern.test(text));
      return [id, functionName === '(idle)' ? 'idle' : (found?.[0] ?? 'the rest')];
    }),
  );
  const from = profile.endTime - (seconds - margin) * 1e6;
  const to = profile.endTime - margin * 1e6;
  const spent = new Map<string, number>();
  let at = profile.startTime;
  for (const [position, sample] of profile.samples.entries()) {
    const took = profile.timeDeltas[position] ?? 0;
    at += took;
    if (at < from || at > to) continue;
    const part = partOf.get(sample) ?? 'the rest';
    spent.set(part, (spent.get(part) ?? 0) + took);
  }
  const whole = to - from;
  const busy = whole - (spent.get('idle') ?? 0);
  spent.delete('idle');
  const sorted = [...spent].sort(([, one], [, other]) => other - one);
  return [
    ['busy', (100 * busy) / whole],
    ...sorted.map(([part, took]) => [part, (100 * took) / busy] as const),
  ];
}

function print(title: string, { leader, follower }: Profile): void {
  const of = new Map(follower);
  const lines = leader.map(
    ([part, share]) =>
      `  ${part.padEnd(46)}${share.toFixed(1).padStart(6)} %${(of.get(part) ?? 0).toFixed(1).padStart(8)} %`,
  );
  process.stdout.write(`\n${title.padEnd(48)}leader  follower\n${lines.join('\n')}\n`);
}
