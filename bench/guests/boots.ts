import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GuestMachine, startGuest } from '../../deploy/guest-image/boot/guest-machine.ts';
import { probeInitramfs } from '../../deploy/guest-image/kernel/boot/boot.ts';
import { type ArchiveEntry, cpioArchive } from '../../deploy/image/cpio.ts';
import { freeTcpPort } from '../../test/xen/free-port.ts';
import { healthOf } from '../../test/xen/guest-trial.ts';
import { planned, type Subject } from './image.ts';

/** What the boots of one round have found. */
export interface Boots {
  /** Milliseconds from the start of the emulator until the kernel runs an empty static program, its first. */
  readonly empty: number;
  /** Milliseconds from the start of Node by init, in the same guest, until it runs its first line. */
  readonly node: number;
  /** Milliseconds from the start of the emulator until the service serves. */
  readonly serving: number;
  /** Bytes in use of the guest's memory while it serves, with what the kernel keeps for itself. */
  readonly memory: number;
}

/** How long after it serves the memory is looked at: what the start alone needed is let go. */
const rest = 10_000;

/** What Node runs that has nothing to do. */
const nothing = 'console.log("node runs")';

/** Boots the guest three times: with an empty program, with Node alone, and as it is. */
export async function bootRound(subject: Subject, scratch: string): Promise<Boots> {
  const { empty, node, own } = await makeInitramfs(subject, scratch);
  return {
    empty: await using(subject, empty, async (guest) => {
      await guest.says(/^probe: /);
      return guest.elapsed();
    }),
    node: await using(subject, node, async (guest) => {
      await guest.says(/the service is started/);
      const before = guest.elapsed();
      await guest.says(/^node runs/);
      return guest.elapsed() - before;
    }),
    ...(await using(subject, own, (guest, port) => served(guest, port, subject))),
  };
}

/**
 * The initial file systems of a round: one with an empty program, and the image's own with another plan.
 * Linux unpacks archives that follow each other, and a file of a later one replaces that of an earlier one.
 */
async function makeInitramfs(subject: Subject, scratch: string) {
  const { architecture, directory, manifest } = subject;
  const path = (kind: string) => join(scratch, `${kind}-${subject.service}-${architecture}`);
  const image = await readFile(join(directory, manifest.initramfs.file));
  const withPlan = async (kind: string, words: readonly string[]): Promise<string> => {
    const content = Buffer.from(planWith(subject, words));
    const entry: ArchiveEntry = { path: 'plan', kind: 'file', content, mode: 0o644 };
    await writeFile(path(kind), Buffer.concat([image, cpioArchive([entry])]));
    return path(kind);
  };
  await writeFile(path('empty'), await probeInitramfs(architecture, path('probe')));
  const [node = '/usr/bin/node', ...words] = planned(subject, 'argument');
  const told = words.flatMap((word) => subject.withoutXen[word] ?? [word]);
  return {
    empty: path('empty'),
    node: await withPlan('node', [node, '-e', nothing]),
    own: await withPlan('own', [node, ...told]),
  };
}

/** The image's plan, with other words for its program. */
function planWith({ plan }: Subject, words: readonly string[]): string {
  const kept = plan.split('\n').filter((line) => line !== '' && !line.startsWith('argument '));
  return [...kept, ...words.map((word) => `argument ${word}`), ''].join('\n');
}

/** Runs a guest with the same devices each time: the kernel looks at each of them. */
async function using<Value>(
  { directory, manifest, trial }: Subject,
  initramfs: string,
  work: (guest: GuestMachine, port: number) => Promise<Value>,
): Promise<Value> {
  const from = await freeTcpPort();
  const guest = startGuest({
    ...{ image: directory, manifest, initramfs, disk: trial.disk, words: ['flotilla.memory=2'] },
    forwards: trial.port === null ? [] : [{ from, to: trial.port }],
  });
  try {
    return await work(guest, from);
  } finally {
    await guest.kill();
  }
}

async function served(
  guest: GuestMachine,
  port: number,
  { service, trial, says, manifest }: Subject,
): Promise<Pick<Boots, 'serving' | 'memory'>> {
  await guest.says(says);
  const serving = guest.elapsed();
  if (trial.port !== null && trial.credentials !== null) {
    const health = await healthOf(`127.0.0.1:${port}`, trial.credentials);
    if (health !== 'SERVING') throw new Error(`${service} says of its health: ${health}`);
  }
  await sleep(rest);
  const line = guest.lines.findLast((each) => memoryLine.test(each)) ?? '';
  const [, used, total] = memoryLine.exec(line) ?? [];
  if (used === undefined) throw new Error(`the guest of ${service} did not say its memory`);
  return { serving, memory: manifest.memory + (Number(used) - Number(total)) * 1024 };
}

/** As init says it (init/init.c). */
const memoryLine = /memory: (\d+) KiB in use of (\d+) KiB/;
