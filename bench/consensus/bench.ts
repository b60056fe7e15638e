import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hasEtcd } from '../../test/contract/etcd.ts';
import { describeMachine, loadAverage } from '../machine.ts';
import type { Memory } from '../usage.ts';
import { valueBytes } from './bodies.ts';
import { Contestant, type Name } from './contestant.ts';
import { failOver } from './fail-over.ts';
import { hasH2load } from './h2load.ts';
import { fill, memoryOfMembers, rest } from './memory.ts';
import { preload } from './preload.ts';
import { profileMembers } from './profile.ts';
import * as report from './report.ts';
import { measures, mixed, type Round, runRound } from './rounds.ts';

/**
 * The pool database beside Debian's etcd: three members of each as processes on loopback, with their
 * data on the same disk, driven by the same native client, in turns. Of each number the median of the
 * rounds is shown: the machine is rarely quiet, and what it does meanwhile hits both.
 */

/** How much is done. `quick` takes about a minute and shows where things stand, not more. */
const extents = {
  quick: { warmUp: 5, rounds: 1, seconds: 0.7, puts: [20_000], kills: 3 },
  full: { warmUp: 15, rounds: 5, seconds: 2, puts: [100_000, 300_000, 600_000], kills: 10 },
} as const;

const names: readonly Name[] = ['flotilla', 'etcd'];

type Pair = Readonly<Record<Name, Contestant>>;

/** `npm run bench -- consensus [--quick | --profile] [--json FILE] [--directory DIR]`; see above. */
export async function benchConsensus(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      json: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
    },
  });
  refuseWithout(hasEtcd, 'etcd', 'etcd-server');
  refuseWithout(hasH2load, 'h2load', 'nghttp2-client');
  const directory = await mkdtemp(join(values.directory, 'flotilla-bench-'));
  if (values.profile) {
    await profileMembers(directory).finally(() => rm(directory, { recursive: true, force: true }));
    return;
  }
  const extent = values.quick ? 'quick' : 'full';
  const machine = describeMachine({ etcd: ['--version'], h2load: ['--version'] });
  progress(`${extent}, in ${directory}`);
  const findings = await measure(directory, extents[extent]).finally(() =>
    rm(directory, { recursive: true, force: true }),
  );
  const after = loadAverage();
  print(extent, machine, after, findings);
  if (values.json !== undefined)
    await writeFile(
      values.json,
      `${JSON.stringify({ extent, machine, after, ...findings }, null, 1)}\n`,
    );
}

function refuseWithout(has: boolean, program: string, debian: string): void {
  if (has) return;
  process.stderr.write(
    `error: ${program} is not installed, and this bench needs it\n` +
      `what to do: apt-get install ${debian}\n`,
  );
  process.exit(2);
}

const start = performance.now();

function progress(line: string): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`[${seconds} s] ${line}\n`);
}

async function measure(
  directory: string,
  extent: (typeof extents)[keyof typeof extents],
): Promise<report.Findings> {
  const pair: Pair = {
    flotilla: await Contestant.start('flotilla', join(directory, 'flotilla')),
    etcd: await Contestant.start('etcd', join(directory, 'etcd')),
  };
  const close = () => Promise.all(names.map((name) => pair[name].close()));
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().then(() => process.exit(130)));
  try {
    const memory = await measureMemory(pair, extent.puts, directory);
    await warmUp(pair, extent.warmUp, directory);
    const loads = await measureLoads(pair, extent, directory);
    const gaps = await measureFailOvers(pair, extent.kills);
    return { memory, loads, gaps };
  } finally {
    await close();
  }
}

async function measureMemory(
  pair: Pair,
  steps: readonly number[],
  directory: string,
): Promise<report.MemoryAfter[]> {
  for (const name of names) await preload(pair[name]);
  const found: report.MemoryAfter[] = [];
  let puts = 0;
  for (const step of steps) {
    puts += step;
    progress(`memory after ${puts} puts`);
    const busy = { flotilla: [] as Memory[], etcd: [] as Memory[] };
    for (const name of names) {
      await fill(pair[name], step, directory);
      busy[name] = await memoryOfMembers(pair[name]);
    }
    await delay(rest);
    const members = {
      flotilla: await memoryOfMembers(pair.flotilla),
      etcd: await memoryOfMembers(pair.etcd),
    };
    found.push({ puts, busy, members });
  }
  return found;
}

/** What a rest has cost, V8's compiled code above all, is no part of what is measured. */
async function warmUp(pair: Pair, seconds: number, directory: string): Promise<void> {
  progress('warming up');
  for (const name of names) await runRound(pair[name], mixed, seconds, directory, 0);
}

async function measureLoads(
  pair: Pair,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  directory: string,
): Promise<report.Measured[]> {
  const found: report.Measured[] = [];
  let turn = 0;
  for (const each of measures) {
    const of: Record<Name, Round[]> = { flotilla: [], etcd: [] };
    for (let round = 0; round < rounds; round += 1)
      for (const name of names) {
        of[name].push(await runRound(pair[name], each, seconds, directory, turn));
        turn += 1;
      }
    const rates = names.map(
      (name) => `${name} ${of[name].map(({ perSecond }) => perSecond.toFixed(0)).join(' ')}`,
    );
    progress(`${each.title}: ${rates.join(', ')}`);
    found.push({ measure: each, rounds: of });
  }
  return found;
}

async function measureFailOvers(pair: Pair, kills: number): Promise<report.Findings['gaps']> {
  const gaps: Record<Name, number[]> = { flotilla: [], etcd: [] };
  for (let kill = 0; kill < kills; kill += 1)
    for (const name of names) {
      const gap = await failOver(pair[name]);
      gaps[name].push(gap);
      progress(`${name}: leader killed, ${gap.toFixed(0)} ms`);
    }
  return gaps;
}

function print(
  extent: keyof typeof extents,
  machine: Readonly<Record<string, string>>,
  after: string,
  findings: report.Findings,
): void {
  const { rounds, seconds } = extents[extent];
  const blocks = [
    Object.entries({ ...machine, 'load average after': after }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
    [
      `3 members each, ${valueBytes}-byte values, medians of ${rounds} rounds of ${seconds} s in turns`,
      ...report.loadTable(findings.loads),
    ],
    report.cpuTable(findings.loads),
    report.memoryTable(findings.memory),
    report.gapTable(findings.gaps),
    ['what we aim for', ...report.targetLines(findings)],
  ];
  process.stdout.write(`${blocks.map((lines) => `${lines.join('\n')}\n`).join('\n')}`);
}
