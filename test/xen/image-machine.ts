import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulatedWords, type Machine, startQemu } from './machine.ts';

/** A machine that boots a host image, as a boot loader would. */
export interface ImageMachinePlan {
  /** What `flotilla host image` wrote. */
  readonly image: string;
  /** Raw disks, in the order of the boot entry: data, images, seed. Only the first is written to. */
  readonly disks: readonly [data: string, images: string, seed: string];
  /** Ports of this machine's loopback interface, and those of 10.0.2.15 that they lead to. */
  readonly forwards: readonly { readonly from: number; readonly to: number }[];
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

/** MiB: the control domain's, and four guests'. */
const memory = 3072;

/** Between two looks at the console; and how long nothing may be said, in milliseconds. */
const lookInterval = 500;
const silenceMax = 300_000;

/** Lines that are quoted when it does not say what is awaited. */
const quoted = 40;

/** Switches a machine on with the files and the words of the image's boot entry. */
export async function startImage(plan: ImageMachinePlan): Promise<ImageMachine> {
  const { image, disks, forwards, directory } = plan;
  const entry = await readFile(join(image, 'grub.cfg'), 'utf8');
  const [, xen, xenWords] = wordsOf(entry, /^ {2}multiboot2 \/flotilla\/(\S+) (.*)$/m);
  const [, kernel, kernelWords] = wordsOf(entry, /^ {2}module2 \/flotilla\/(\S+) (.*)$/m);
  const [, initramfs] = wordsOf(entry, /^ {2}module2 --nounzip \/flotilla\/(\S+)$/m);
  const serialLog = join(directory, 'serial.log');
  const drives = disks.flatMap((file, index) => [
    '-drive',
    `if=none,id=disk${index},format=raw,file=${file},${index === 0 ? 'cache=unsafe' : 'readonly=on'}`,
    ...['-device', `virtio-blk-pci,drive=disk${index}`],
  ]);
  const rules = forwards.map(({ from, to }) => `,hostfwd=tcp:127.0.0.1:${from}-10.0.2.15:${to}`);
  const machine = startQemu(
    [
      ...emulatedWords({ processors: 1, memory, serialLog }),
      ...['-kernel', join(image, xen), '-append', xenWords],
      // QEMU separates modules by commas; none of the words has one.
      '-initrd',
      `${join(image, kernel)} ${kernelWords},${join(image, initramfs)}`,
      ...drives,
      ...['-netdev', `user,id=net,restrict=on,ipv6=off${rules.join('')}`],
      ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ],
    directory,
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

function wordsOf(entry: string, pattern: RegExp): readonly [string, string, string] {
  const found = pattern.exec(entry);
  if (found === null) throw new Error(`the boot entry has no line like ${pattern}:\n${entry}`);
  return [found[0], found[1] ?? '', found[2] ?? ''];
}

async function awaited(
  pattern: RegExp,
  said: () => Promise<string>,
  ended: () => boolean,
): Promise<RegExpExecArray> {
  let [before, spoke] = ['', performance.now()];
  for (;;) {
    const text = await said();
    const found = pattern.exec(text);
    if (found !== null) return found;
    if (text !== before) [before, spoke] = [text, performance.now()];
    const silent = performance.now() - spoke > silenceMax;
    const why = ended() ? 'the host went down' : 'the host has been silent for too long';
    if (ended() || silent || /Kernel panic|Panic on CPU/.test(text))
      throw new Error(
        `${why}; awaited ${pattern}; it said last:\n${text.split(/\r?\n/).slice(-quoted).join('\n')}`,
      );
    await sleep(lookInterval);
  }
}
