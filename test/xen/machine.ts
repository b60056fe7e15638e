import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { present } from '../../base/assert.ts';
import type { HostImage } from '../../deploy/host-image/host-image.ts';
import type { EthernetPort } from './ethernet.ts';
import { type Monitor, openMonitor } from './qmp.ts';

/** What an emulated machine is made of. */
export interface MachineParts {
  readonly image: HostImage;
  /** Read-only disks, by the serial number under which the host finds them. */
  readonly disks: Readonly<Record<string, string>>;
  readonly processors: number;
  /** MiB of the whole machine, and of its control domain. */
  readonly memory: number;
  readonly controlDomainMemory: number;
  /** Words for the control domain's kernel. */
  readonly kernelWords: readonly string[];
  /** Words for the hypervisor besides those that every emulated one gets. */
  readonly hypervisorWords: readonly string[];
  /** A number that makes its network addresses its own. */
  readonly number: number;
  /** Where it is plugged into the Ethernet that it shares with other machines. */
  readonly ethernet: EthernetPort | undefined;
  /** The file that takes what the machine prints on its serial port. */
  readonly serialLog: string;
  /** Where QEMU may write: its diagnostics, and the disk blocks that the machine changes. */
  readonly directory: string;
}

/** A running QEMU. It dies with the process (more exactly, the thread) that started it. */
export interface Machine {
  readonly monitor: Monitor;
  readonly process: ChildProcess;
  /** Resolves when QEMU has ended, whatever the cause. */
  readonly ended: Promise<void>;
}

/** Starts QEMU on the lab's host image. */
export function startMachine(parts: MachineParts): Machine {
  return startQemu(qemuArguments(parts), parts.directory);
}

/**
 * Starts QEMU with words that begin with `emulatedWords`. It may write into `directory`. `within` are words of a
 * program that becomes another one somewhere else, as in a network of its own.
 */
export function startQemu(
  words: readonly string[],
  directory: string,
  within: readonly string[] = [],
): Machine {
  const diagnostics = openSync(`${directory}/qemu.log`, 'w');
  // setpriv has the kernel kill QEMU when its parent is gone, even by kill -9.
  const setpriv = ['setpriv', '--pdeathsig', 'KILL', '--'];
  const [program = '', ...command] = [...within, ...setpriv, 'qemu-system-x86_64', ...words];
  const child = spawn(program, command, {
    stdio: ['pipe', 'pipe', diagnostics],
    env: { ...process.env, TMPDIR: directory },
  });
  closeSync(diagnostics);
  const monitor = openMonitor(
    present(child.stdin, 'stdin is a pipe'),
    present(child.stdout, 'stdout is a pipe'),
  );
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]).then(() => undefined);
  return { monitor, process: child, ended };
}

/**
 * Words for a Xen that is emulated. Lazy FPU switching, its default on AMD, loses vector registers of the
 * control domain's processes under QEMU's emulation while a guest runs: Node then crashes at random. Idle states
 * of the processor save nothing here.
 */
export const emulatedXenWords = 'console=com1 com1=115200 xpti=no spec-ctrl=eager-fpu cpuidle=0';

/**
 * The processor with which Xen 4.17 under QEMU 7.2 runs PV and PVH guests: with smap and smep a PV control domain
 * crashes at once, with rdtscp PVH guests hang, and with AVX their first process dies of an invalid instruction
 * after some minutes where there is a second processor. There Node in a PVH domain also dies of all kinds of signals
 * with XSAVE, mostly while it starts.
 */
const emulatedProcessor = 'max,+svm,-smap,-smep,-rdtscp,-avx,-avx2,-f16c,-fma,-xsave';

/**
 * A machine on which Xen runs, without disks and NICs. Software emulation, always: on machines like those of a
 * CI, /dev/kvm exists and does not run ordinary kernels.
 */
export function emulatedWords({
  processors,
  memory,
  serialLog,
}: Pick<MachineParts, 'processors' | 'memory' | 'serialLog'>): readonly string[] {
  return [
    ...['-accel', 'tcg,thread=multi', '-machine', 'pc', '-smp', `${processors}`, '-m', `${memory}`],
    ...['-cpu', emulatedProcessor, '-no-reboot', '-nodefaults', '-display', 'none'],
    ...['-chardev', 'stdio,id=monitor,signal=off', '-mon', 'chardev=monitor,mode=control'],
    ...['-serial', `file:${serialLog}`],
  ];
}

function qemuArguments(parts: MachineParts): string[] {
  const { image, number, ethernet } = parts;
  const own = parts.controlDomainMemory;
  const kernel = ['console=hvc0', 'panic=1', 'loglevel=4', 'mitigations=off', ...parts.kernelWords];
  const layers = Object.entries(parts.disks).flatMap(([serial, file]) => [
    ...['-drive', `if=none,id=${serial},format=raw,readonly=on,file=${file}`],
    ...['-device', `virtio-blk-pci,drive=${serial},serial=${serial}`],
  ]);
  const nic = (netdev: string, address: string): string[] => [
    ...['-device', `virtio-net-pci,netdev=${netdev},mac=${address},romfile=`],
  ];
  const loopback = (end: 'local' | 'remote', port: number): string =>
    `${end}.type=inet,${end}.host=127.0.0.1,${end}.port=${port}`;
  const xen = [
    ...[`dom0_mem=${own}M,max:${own}M`, 'dom0_max_vcpus=1', 'dom0_vcpus_pin', emulatedXenWords],
    ...parts.hypervisorWords,
  ];
  return [
    ...emulatedWords(parts),
    ...['-kernel', image.xen, '-append', xen.join(' ')],
    // QEMU separates modules by commas; none of the words has one.
    ...['-initrd', `${image.kernel} ${kernel.join(' ')},${image.initrd}`],
    // The root disk is the first one, /dev/vda, because its device is named first.
    ...['-drive', `if=none,id=root,format=raw,snapshot=on,file=${image.root}`],
    ...['-device', 'virtio-blk-pci,drive=root,serial=flotilla-root'],
    ...layers,
    ...['-netdev', 'user,id=lab,restrict=on,ipv6=off'],
    ...nic('lab', mac(1, number)),
    ...(ethernet === undefined
      ? []
      : [
          '-netdev',
          `dgram,id=shared,${loopback('local', ethernet.own)},${loopback('remote', ethernet.hub)}`,
          ...nic('shared', mac(2, number)),
        ]),
  ];
}

/** Addresses of QEMU's own range; the fifth byte tells the NIC, the sixth the machine. */
function mac(nic: number, number: number): string {
  const byte = (value: number): string => value.toString(16).padStart(2, '0');
  return `52:54:00:77:${byte(nic)}:${byte(number)}`;
}
