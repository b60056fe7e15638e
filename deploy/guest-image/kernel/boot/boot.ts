import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { type Bytes, bytes } from '../../../../base/units.ts';
import type { Architecture } from '../../../../pool/images/manifest.ts';
import { BuildFailure, run } from '../../../image/command.ts';
import { cpioArchive } from '../../../image/cpio.ts';
import type { GuestKernel } from '../guest-kernel.ts';
import { kernelTools } from '../tools.ts';

/** What a kernel took that ran an empty program, in an emulated machine. */
export interface BootFacts {
  /** From the kernel's first reading of its clock to its first program, in seconds. */
  readonly kernelSeconds: number;
  /** From the start of the emulator, in seconds: firmware and decompression are in it. */
  readonly wallSeconds: number;
  /** Memory that the kernel did not keep for itself. */
  readonly total: Bytes;
  /** Memory that a program could have. */
  readonly available: Bytes;
}

/** Software emulation, always: what a CI's /dev/kvm runs is not known. */
const machines = {
  x86_64: {
    emulator: 'qemu-system-x86_64',
    arguments: ['-machine', 'pc', '-cpu', 'max'],
    console: 'ttyS0',
  },
  aarch64: {
    emulator: 'qemu-system-aarch64',
    arguments: ['-machine', 'virt', '-cpu', 'cortex-a72'],
    console: 'ttyAMA0',
  },
} as const;

/** A kernel that has not run a program by then never will: under load one takes a minute. */
const patience = 300_000;

/** Lines of the console that are quoted where a kernel did not come to its program. */
const linesQuoted = 15;

const line = /^probe: uptime=([\d.]+) total=(\d+) available=(\d+)/;

/** Boots a kernel in an emulated machine of so much memory, with a program that says what is left. */
export async function bootKernel(
  kernel: GuestKernel,
  architecture: Architecture,
  memory: Bytes,
): Promise<BootFacts> {
  const directory = await mkdtemp(join(tmpdir(), 'kernel-boot-'));
  try {
    const initramfs = join(directory, 'initramfs');
    await writeFile(initramfs, await probeInitramfs(architecture, join(directory, 'probe')));
    return await firstProgram(kernel, architecture, memory, initramfs);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** An initial file system that holds the probe, which is compiled to `program`, and a console for it. */
export async function probeInitramfs(architecture: Architecture, program: string): Promise<Buffer> {
  const { compiler } = await kernelTools(architecture);
  const source = join(import.meta.dirname, 'probe.c');
  await run(compiler, ['-static', '-Os', '-s', '-o', program, source]);
  return gzipSync(
    cpioArchive([
      { path: 'dev', kind: 'directory' },
      { path: 'dev/console', kind: 'device', major: 5, minor: 1 },
      { path: 'init', kind: 'file', content: await readFile(program), mode: 0o755 },
    ]),
  );
}

async function firstProgram(
  kernel: GuestKernel,
  architecture: Architecture,
  memory: Bytes,
  initramfs: string,
): Promise<BootFacts> {
  const { emulator, arguments: machine, console } = machines[architecture];
  const words = `console=${console} panic=-1 quiet`;
  const shown = ['-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'];
  const files = ['-kernel', kernel.image, '-initrd', initramfs, '-append', words];
  const size = ['-m', String(Math.floor(memory / 2 ** 20))];
  const start = performance.now();
  const command = ['-n', '19', emulator, '-accel', 'tcg', ...machine, ...size, ...shown, ...files];
  const child = spawn('nice', [...command, '-nic', 'none'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  const last: string[] = [];
  let facts: BootFacts | null = null;
  const read = (text: string): void => {
    const found = line.exec(text.trim());
    if (found === null) {
      last.push(text.trimEnd());
      if (last.length > linesQuoted) last.shift();
      return;
    }
    facts ??= {
      kernelSeconds: Number(found[1]),
      wallSeconds: (performance.now() - start) / 1000,
      total: bytes(Number(found[2]) * 1024),
      available: bytes(Number(found[3]) * 1024),
    };
    child.kill('SIGKILL');
  };
  createInterface(child.stdout).on('line', read);
  createInterface(child.stderr).on('line', read);
  await once(child, 'close');
  clearTimeout(timer);
  if (facts === null)
    throw new BuildFailure(
      `the kernel ${kernel.image} did not come to its first program under ${emulator}; it said last:\n${last.join('\n')}`,
    );
  return facts;
}
