import { join } from 'node:path';
import type { Architecture, Manifest } from '../../../pool/images/manifest.ts';

/** An emulated machine on which a guest image is booted, without Xen. */
export interface MachinePlan {
  /** The directory of the image, and its manifest. */
  readonly image: string;
  readonly manifest: Manifest;
  /** A file that is booted in the place of the image's own initramfs. */
  readonly initramfs?: string;
  /** Words for the kernel besides those of the manifest. */
  readonly words?: readonly string[];
  /** A raw disk with ext4, which becomes the data disk; what is written to it stays in memory. */
  readonly disk?: string | undefined;
  /** Ports of this machine's loopback interface, and those of the guest that they lead to. */
  readonly forwards?: readonly { readonly from: number; readonly to: number }[];
}

/** A program of QEMU's, and what it is told. */
export interface Emulator {
  readonly program: string;
  readonly words: readonly string[];
}

/** How a machine finds its devices: by PCI, or at addresses that it is told of. */
type Bus = 'pci' | 'mmio';

interface Machine {
  readonly program: string;
  readonly words: Readonly<Record<Bus, readonly string[]>>;
  readonly console: string;
}

/** It has both. */
const virt = ['-machine', 'virt', '-cpu', 'cortex-a72'];

/**
 * A cloud kernel has PCI. Of those for one service not each has, but each has the other. They say nothing on a
 * microvm with ACPI, and boot on one without.
 */
const machines: Readonly<Record<Architecture, Machine>> = {
  x86_64: {
    program: 'qemu-system-x86_64',
    words: {
      pci: ['-machine', 'pc', '-cpu', 'max'],
      mmio: ['-machine', 'microvm,acpi=off', '-cpu', 'max'],
    },
    console: 'ttyS0',
  },
  aarch64: {
    program: 'qemu-system-aarch64',
    words: { pci: virt, mmio: virt },
    console: 'ttyAMA0',
  },
};

/** The address that QEMU forwards to, its network and its gateway. */
const network = ['flotilla.address=10.0.2.15/24', 'flotilla.gateway=10.0.2.2'];

/** The emulator of an architecture, by its program's name. */
export function emulatorProgram(architecture: Architecture): string {
  return machines[architecture].program;
}

/** What is run for a plan. Software emulation, always: what a CI's /dev/kvm runs is not known. */
export function emulatorOf(plan: MachinePlan): Emulator {
  const { image, manifest, words = [], disk, forwards = [] } = plan;
  const { program, words: machine, console } = machines[manifest.architecture];
  const bus = busOf(manifest);
  const own = [`console=${console}`, 'flotilla.log=console', ...words];
  if (disk !== undefined) own.push('flotilla.data=/dev/vda');
  if (forwards.length > 0) own.push(...network);
  const initramfs = plan.initramfs ?? join(image, manifest.initramfs.file);
  return {
    program,
    words: [
      ...['-accel', 'tcg', ...machine[bus], '-m', `${manifest.memory / 2 ** 20}`, '-smp', '1'],
      ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', join(image, manifest.kernel.file), '-initrd', initramfs],
      ...['-append', [manifest.commandLine, ...own].join(' ')],
      ...(disk === undefined ? [] : diskWords(disk, bus)),
      ...(forwards.length === 0 ? [] : nicWords(forwards, bus)),
    ],
  };
}

function busOf({ kernel }: Manifest): Bus {
  return kernel.origin === 'specialised' ? 'mmio' : 'pci';
}

const devices = {
  pci: { disk: 'virtio-blk-pci', nic: 'virtio-net-pci,romfile=' },
  mmio: { disk: 'virtio-blk-device', nic: 'virtio-net-device' },
} as const;

function diskWords(disk: string, bus: Bus): string[] {
  const drive = `if=none,id=data,format=raw,snapshot=on,file=${disk}`;
  return ['-drive', drive, '-device', `${devices[bus].disk},drive=data`];
}

function nicWords(forwards: NonNullable<MachinePlan['forwards']>, bus: Bus): string[] {
  const rules = forwards.map(({ from, to }) => `,hostfwd=tcp:127.0.0.1:${from}-10.0.2.15:${to}`);
  const netdev = `user,id=net,restrict=on,ipv6=off${rules.join('')}`;
  return ['-netdev', netdev, '-device', `${devices[bus].nic},netdev=net`];
}
