import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingFor } from '../../deploy/guest-image/boot/missing.ts';
import type { KernelOrigin } from '../../deploy/guest-image/kernel/index.ts';
import { BuildFailure } from '../../deploy/image/command.ts';
import { type Architecture, architectures } from '../../pool/images/manifest.ts';
import { describeMachine, loadAverage } from '../machine.ts';
import { type Boots, bootRound } from './boots.ts';
import { measureDebian } from './debian.ts';
import type { Findings, Measured } from './findings.ts';
import { buildSubject, services, type Wanted } from './image.ts';
import { published } from './published.ts';
import { debianTable, rightsTable, sizeTable } from './report.ts';
import { targetLines } from './targets.ts';

/**
 * Each guest image: what is in it, what it may do, and how it starts under QEMU's emulation, without Xen.
 * Beside it the control domain that the lab makes of Debian's packages. Times are of an emulator: it is
 * their ratio that says something of the image.
 */

const origins: readonly KernelOrigin[] = ['specialised', 'cloud'];
const roundsOfFull = 3;

/** The flags as they were given. */
interface Flags {
  readonly quick: boolean;
  readonly service: readonly string[];
  readonly arch: readonly string[];
  readonly kernel: string;
  readonly 'without-debian': boolean;
  readonly json?: string | undefined;
}

/**
 * `npm run bench -- guests [--quick] [--service NAME]... [--arch NAME]... [--kernel specialised|cloud]
 * [--without-debian] [--json FILE]`.
 */
export async function benchGuests(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: 'boolean', default: false },
      service: { type: 'string', multiple: true, default: [...services] },
      arch: { type: 'string', multiple: true, default: [...architectures] },
      kernel: { type: 'string', default: 'specialised' },
      'without-debian': { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const wanted = await wantedOf(values);
  const rounds = values.quick ? 1 : roundsOfFull;
  const machine = describeMachine({ 'qemu-system-x86_64': ['--version'], gcc: ['--version'] });
  const scratch = await mkdtemp(join(tmpdir(), 'flotilla-guests-'));
  const images: Measured[] = [];
  try {
    for (const each of wanted) images.push(await measure(each, rounds, scratch));
  } catch (error) {
    if (error instanceof BuildFailure) refuse(error.message, 'mend that, and run it again');
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const debian = values['without-debian'] ? null : await measureDebian(progress);
  const findings: Findings = { images, debian };
  const after = loadAverage();
  const blocks = [
    Object.entries({ ...machine, 'load average after': after }).map((line) => line.join(': ')),
    [`medians of ${rounds} rounds, QEMU without KVM`, ...sizeTable(findings)],
    rightsTable(findings),
    ...(debian === null ? [] : [debianTable(debian)]),
    ['published, and not measured here', ...published],
    ['what we aim for', ...targetLines(findings)],
  ];
  process.stdout.write(`${blocks.map((lines) => `${lines.join('\n')}\n`).join('\n')}`);
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ machine, after, ...findings }, null, 1)}\n`);
}

/** Which images are asked for, and can be built here. */
async function wantedOf(flags: Flags): Promise<readonly Wanted[]> {
  const kernel = oneOf(flags.kernel, origins, '--kernel');
  const asked = flags.service.map((name) => oneOf(name, services, '--service'));
  const wanted: Wanted[] = [];
  for (const name of flags.arch) {
    const architecture: Architecture = oneOf(name, architectures, '--arch');
    const missing = await missingFor(architecture);
    if (missing !== null)
      refuse(`${missing} is not installed`, `install it, or leave out --arch ${architecture}`);
    wanted.push(...asked.map((service) => ({ service, architecture, kernel })));
  }
  return wanted;
}

function oneOf<Name extends string>(word: string, names: readonly Name[], flag: string): Name {
  const found = names.find((name) => name === word);
  return found ?? refuse(`${flag} ${word} is not known`, `choose of ${names.join(', ')}`);
}

function refuse(what: string, remedy: string): never {
  process.stderr.write(`error: ${what}\nwhat to do: ${remedy}\n`);
  process.exit(2);
}

async function measure(wanted: Wanted, count: number, scratch: string): Promise<Measured> {
  progress(`${wanted.service}, ${wanted.architecture}`);
  const subject = await buildSubject(wanted, scratch, progress);
  const rounds: Boots[] = [];
  for (let round = 0; round < count; round += 1) {
    rounds.push(await bootRound(subject, scratch));
    progress(JSON.stringify(rounds.at(-1)));
  }
  return { subject, rounds };
}

const began = performance.now();

function progress(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`[${seconds} s] ${line}\n`);
}
