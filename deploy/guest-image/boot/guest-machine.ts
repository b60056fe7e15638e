import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Manifest } from '../../../pool/images/manifest.ts';

/** An emulated machine on which a guest image is booted, without Xen. */
export interface MachinePlan {
  /** The directory of the image, and its manifest. */
  readonly image: string;
  readonly manifest: Manifest;
  /** Words for the kernel besides those of the manifest. */
  readonly words?: readonly string[];
  /** A raw disk with ext4, which becomes the data disk; what is written to it stays in memory. */
  readonly disk?: string;
  /** Ports of this machine's loopback interface, and those of the guest that they lead to. */
  readonly forwards?: readonly { readonly from: number; readonly to: number }[];
}

/** A guest that runs. It ends with `kill`. */
export interface GuestMachine {
  /** What it has said on its console, a line each. */
  readonly lines: readonly string[];
  /** Waits until it says something like this; rejects with what it said when it ends before, or is too slow. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Milliseconds since the emulator was started. */
  readonly elapsed: () => number;
  kill(): Promise<void>;
}

/** Guests have been seen to take two minutes where four emulators shared two processors. */
const patience = 600_000;

/** The address that QEMU forwards to, its network and its gateway. */
const network = ['flotilla.address=10.0.2.15/24', 'flotilla.gateway=10.0.2.2'];

/** Lines that are quoted when the guest does not say what is awaited. */
const quoted = 30;

/** Starts the guest with the memory that its manifest asks for. Software emulation, always. */
export function startGuest(plan: MachinePlan): GuestMachine {
  const started = performance.now();
  const { program, ...machine } = emulators[plan.manifest.architecture];
  const child = spawn(program, argumentsOf(plan, machine), { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const looks = new Set<() => void>();
  const take = (line: string): void => {
    lines.push(line.trimEnd());
    for (const look of looks) look();
  };
  createInterface(child.stdout).on('line', take);
  createInterface(child.stderr).on('line', take);
  const ended = Promise.race([once(child, 'close'), once(child, 'error')]).then(() => undefined);
  return {
    lines,
    elapsed: () => performance.now() - started,
    says: (pattern) => awaited(pattern, lines, looks, ended),
    kill: () => killed(child, ended),
  };
}

interface Emulator {
  readonly program: string;
  readonly machine: readonly string[];
  readonly console: string;
}

const emulators: Readonly<Record<Manifest['architecture'], Emulator>> = {
  x86_64: {
    program: 'qemu-system-x86_64',
    machine: ['-machine', 'pc', '-cpu', 'max'],
    console: 'ttyS0',
  },
  aarch64: {
    program: 'qemu-system-aarch64',
    machine: ['-machine', 'virt', '-cpu', 'cortex-a72'],
    console: 'ttyAMA0',
  },
};

function argumentsOf(plan: MachinePlan, { machine, console }: Omit<Emulator, 'program'>): string[] {
  const { image, manifest, words = [], disk, forwards = [] } = plan;
  const own = [`console=${console}`, 'flotilla.log=console', ...words];
  const rules = forwards.map(({ from, to }) => `,hostfwd=tcp:127.0.0.1:${from}-10.0.2.15:${to}`);
  const nic = ['-netdev', `user,id=net,restrict=on,ipv6=off${rules.join('')}`];
  const attached = ['-drive', `if=none,id=data,format=raw,snapshot=on,file=${disk}`];
  if (disk !== undefined) own.push('flotilla.data=/dev/vda');
  if (forwards.length > 0) own.push(...network);
  return [
    ...['-accel', 'tcg', ...machine, '-m', `${manifest.memory / 2 ** 20}`, '-smp', '1'],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', join(image, manifest.kernel.file)],
    ...['-initrd', join(image, manifest.initramfs.file)],
    ...['-append', [manifest.commandLine, ...own].join(' ')],
    ...(disk === undefined ? [] : [...attached, '-device', 'virtio-blk-pci,drive=data']),
    ...(forwards.length === 0 ? [] : [...nic, '-device', 'virtio-net-pci,netdev=net,romfile=']),
  ];
}

async function awaited(
  pattern: RegExp,
  lines: readonly string[],
  looks: Set<() => void>,
  ended: Promise<void>,
): Promise<RegExpExecArray> {
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
  let at = 0;
  const look = (): void => {
    for (; at < lines.length; at += 1) {
      const found = pattern.exec(lines[at] ?? '');
      if (found !== null) resolve(found);
    }
  };
  const refuse = (why: string) => (): void =>
    reject(
      new Error(`${why}; awaited ${pattern}; it said last:\n${lines.slice(-quoted).join('\n')}`),
    );
  const timer = setTimeout(refuse('the guest is too slow'), patience);
  looks.add(look);
  look();
  void ended.then(refuse('the guest has ended'));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    looks.delete(look);
  }
}

async function killed(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}
