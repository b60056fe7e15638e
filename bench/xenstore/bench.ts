import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingFor } from '../../test/peers/peer.ts';
import { describeMachine, loadAverage } from '../machine.ts';
import { aimLines } from './aims.ts';
import { type Beginning, begin } from './beginning.ts';
import { type Contestant, type Name, names, start } from './contestant.ts';
import type { Findings, Measured } from './findings.ts';
import { type Output, runLoad } from './load.ts';
import { type Measure, measures } from './measures.ts';
import { table } from './report.ts';

/**
 * Our xenstored beside the one in C and the one in OCaml, of Debian: as processes on sockets, with the
 * same native client, in turns. Of each number the median of the rounds is shown: the machine is
 * rarely quiet, and what it does meanwhile hits all three.
 */

/** How much is done. `quick` takes about two minutes and shows where things stand, not more. */
const extents = {
  quick: { rounds: 1, seconds: 0.3, beginnings: 1 },
  full: { rounds: 3, seconds: 1, beginnings: 5 },
} as const;
type Extent = (typeof extents)[keyof typeof extents];

/** `npm run bench -- xenstore [--quick] [--only WORDS] [--json FILE] [--directory DIR]`. */
export async function benchXenstore(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
    },
  });
  refuseWithoutPeers();
  const { only } = values;
  const chosen = measures.filter(({ title }) => only === undefined || title.includes(only));
  const name = values.quick ? 'quick' : 'full';
  const machine = describeMachine({ gcc: ['--version'] });
  const directory = await mkdtemp(join(values.directory, 'flotilla-bench-'));
  progress(`${name}, in ${directory}`);
  const findings = await measure(directory, extents[name], chosen).finally(() =>
    rm(directory, { recursive: true, force: true }),
  );
  const after = loadAverage();
  const { rounds, seconds } = extents[name];
  const blocks = [
    Object.entries({ ...machine, 'load average after': after }).map((line) => line.join(': ')),
    [`medians of ${rounds} rounds of ${seconds} s in turns`, ...table(findings)],
    ...(only === undefined ? [['what we aim for', ...aimLines(findings)]] : []),
  ];
  process.stdout.write(`${blocks.map((lines) => `${lines.join('\n')}\n`).join('\n')}`);
  if (values.json !== undefined)
    await writeFile(
      values.json,
      `${JSON.stringify({ extent: name, machine, after, ...findings }, null, 1)}\n`,
    );
}

function refuseWithoutPeers(): void {
  const missing = missingFor('xenstored') ?? missingFor('oxenstored');
  if (missing === null) return;
  process.stderr.write(
    `error: ${missing} is not installed, and this bench needs it\n` +
      'what to do: apt-get install gcc libxen-dev xen-utils-4.17 xen-utils-common\n',
  );
  process.exit(2);
}

const began = performance.now();

function progress(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`[${seconds} s] ${line}\n`);
}

async function measure(
  directory: string,
  extent: Extent,
  chosen: readonly Measure[],
): Promise<Findings> {
  const running: Contestant[] = [];
  const close = () => Promise.all(running.map((contestant) => contestant.stop()));
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().then(() => process.exit(130)));
  try {
    const beginnings: Record<Name, Beginning[]> = { flotilla: [], xenstored: [], oxenstored: [] };
    for (let round = 0; round < extent.beginnings; round += 1)
      for (const name of names) beginnings[name].push(await begin(name, directory));
    for (const name of names) running.push(await start(name, join(directory, name)));
    for (const contestant of running) await warmUp(contestant);
    const loads: Measured[] = [];
    for (const each of chosen) loads.push(await measureLoad(each, extent, running, directory));
    return { loads, beginnings };
  } finally {
    await close();
  }
}

/** A daemon runs for months: what it does in its first second is shown as its start-up. */
async function warmUp(contestant: Contestant): Promise<void> {
  for (const scenario of ['read', 'write', 'mkdir-rm', 'transactions'])
    await runLoad(contestant, scenario, { seconds: 2, clients: 2 });
  for (const scenario of ['read', 'write'])
    await runLoad(contestant, scenario, { seconds: 4, depth: 32 });
}

async function measureLoad(
  measure: Measure,
  extent: Extent,
  running: readonly Contestant[],
  directory: string,
): Promise<Measured> {
  const rounds: Record<Name, Output[]> = { flotilla: [], xenstored: [], oxenstored: [] };
  const numbers = { seconds: extent.seconds, ...measure.numbers };
  const count = Math.min(extent.rounds, measure.rounds ?? extent.rounds);
  for (let round = 0; round < count; round += 1)
    for (const contestant of running) {
      const { name } = contestant;
      const place = join(directory, `alone-${name}`);
      const subject = measure.alone === true ? await start(name, place) : contestant;
      try {
        rounds[name].push(await runLoad(subject, measure.scenario, numbers));
      } finally {
        if (subject !== contestant) {
          await subject.stop();
          await rm(place, { recursive: true });
        }
      }
    }
  for (const reading of measure.readings) {
    const all = running.map(
      ({ name }) =>
        `${name} ${rounds[name].map((output) => reading.of(output).toFixed(reading.digits)).join(' ')}`,
    );
    progress(`${measure.title}, ${reading.title}: ${all.join(' | ')}`);
  }
  return { measure, rounds };
}
