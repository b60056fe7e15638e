import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';
import { architectures } from '../../pool/images/manifest.ts';
import { machines } from './machines.ts';
import { callNumbers } from './system-calls.ts';

/** Calls that each kernel has, by the headers of Linux: unistd_64.h, and asm-generic/unistd.h. */
const known = {
  x86_64: { read: 0, openat: 257, futex: 202, mount: 165, ptrace: 101, io_uring_setup: 425 },
  aarch64: { read: 63, openat: 56, futex: 98, mount: 40, ptrace: 117, io_uring_setup: 425 },
} as const;

/** The first program of each architecture's that is missing; ava wants all tests declared at once. */
const missing = await Promise.all(
  architectures.map(async (architecture) => {
    const { program } = machines[architecture].compiler;
    const asked = await runCommand(program, ['--version'], milliseconds(10_000));
    return { architecture, reason: asked.ok ? '' : ` (there is no ${program})` };
  }),
);

for (const { architecture, reason } of missing)
  (reason === '' ? test : test.skip)(
    `a service for ${architecture} may read and wait, and neither mount nor trace${reason}`,
    async (t) => {
      const scratch = await mkdtemp(join(tmpdir(), 'flotilla-calls-'));
      const numbers = await callNumbers('consensus', architecture, scratch);
      await rm(scratch, { recursive: true });
      const may = (name: keyof typeof known.x86_64) => numbers.includes(known[architecture][name]);
      t.true(may('read') && may('openat') && may('futex'));
      t.false(may('mount') || may('ptrace') || may('io_uring_setup'));
      const sorted = [...new Set(numbers)].sort((one, other) => one - other);
      t.deepEqual(numbers, sorted);
      // CALLS_MAX of init/init.h
      t.true(numbers.length <= 256);
    },
  );
