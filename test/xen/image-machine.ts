import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeBootDisc } from './boot-disc.ts';
import { emulatedWords, type Machine, startQemu } from './machine.ts';
import type { OwnNetwork } from './own-network.ts';

/** A machine that boots a host image, as a boot loader would. */
export interface ImageMachinePlan {
  /** What `flotilla host image` wrote. */
  readonly image: string;
  /** Raw disks, in the order of the boot entry: data, images, seed. Only the first is written to. */
  readonly disks: readonly [data: string, images: string, seed: string];
  /** Words for the control domain's kernel besides those of the boot entry. */
  readonly words: readonly string[];
  /** The network that it is reached from, which has `machineAddress`; and the ports that lead to it. */
  readonly network: OwnNetwork;
  readonly ports: readonly number[];
  /** Where QEMU may write. */
  readonly directory: string;
}

/** A host that was switched on. */
export interface ImageMachine {
  readonly machine: Machine;
  /** All that the serial console has said. */
  said(): Promise<string>;
  /** Waits until it says something like this; rejects with its last lines when it ends before, or is silent too long. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  kill(): Promise<void>;
}

/** Where the host is, on the network that QEMU pretends. */
export const machineAddress = '10.0.2.15';

/** MiB: the control domain's, and four guests'. */
const memory = 3072;

/** Between two looks at the console; and how long nothing may be said, in milliseconds. */
const lookInterval = 500;
const silenceMax = 300_000;

/** What init says every so many seconds, where the kernel's words ask it to. */
export const memoryLine = /flotilla init: memory: (\d+) KiB in use of (\d+) KiB/;

/** Lines that are quoted when it does not say what is awaited. */
const quoted = 40;

/** Switches a machine on, which boots by GRUB. */
export async function startImage(plan: ImageMachinePlan): Promise<ImageMachine> {
  const { image, disks, words, network, ports, directory } = plan;
  const disc = await writeBootDisc(image, words, directory);
  const serialLog = join(directory, 'serial.log');
  const drives = disks.flatMap((file, index) => [
    '-drive',
    `if=none,id=disk${index},format=raw,file=${file},${index === 0 ? 'cache=unsafe' : 'readonly=on'}`,
    ...['-device', `virtio-blk-pci,drive=disk${index}`],
  ]);
  const rules = ports
    .map((port) => `${machineAddress}:${port}`)
    .map((place) => `,hostfwd=tcp:${place}-${place}`);
  const machine = startQemu(
    [
      ...emulatedWords({ processors: 1, memory, serialLog }),
      ...['-cdrom', disc, '-boot', 'd'],
      ...drives,
      ...['-netdev', `user,id=net,restrict=on,ipv6=off${rules.join('')}`],
      ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ],
    directory,
    network.within,
  );
  const said = () => readFile(serialLog, 'latin1').catch(() => '');
  let ended = false;
  void machine.ended.then(() => {
    ended = true;
  });
  return {
    machine,
    said,
    says: (pattern) => awaited(pattern, said, () => ended),
    kill: async () => {
      machine.process.kill('SIGKILL');
      await machine.ended;
    },
  };
}

async function awaited(
  pattern: RegExp,
  said: () => Promise<string>,
  ended: () => boolean,
): Promise<RegExpExecArray> {
  let [before, spoke] = [0, performance.now()];
  for (;;) {
    const text = await said();
    const found = pattern.exec(text);
    if (found !== null) return found;
    // What init says of the memory by the clock is no sign of life of the services.
    const lines = text.split('\n').filter((line) => !memoryLine.test(line)).length;
    if (lines !== before) [before, spoke] = [lines, performance.now()];
    const silent = performance.now() - spoke > silenceMax;
    const why = ended() ? 'the host went down' : 'the host has been silent for too long';
    if (ended() || silent || /Kernel panic|Panic on CPU/.test(text))
      throw new Error(
        `${why}; awaited ${pattern}; it said last:\n${text.split(/\r?\n/).slice(-quoted).join('\n')}`,
      );
    await sleep(lookInterval);
  }
}
