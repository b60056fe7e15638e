import { runCommand } from '../../../base/command.ts';
import { milliseconds } from '../../../base/units.ts';
import type { Architecture } from '../../../pool/images/manifest.ts';
import { machines } from '../machines.ts';
import { emulatorProgram } from './emulator.ts';

/** What each of these programs says its version within. */
const patience = milliseconds(30_000);

/**
 * The first program that this machine lacks to build guest images for an architecture and to boot them
 * in an emulated machine; null: it has all.
 */
export async function missingFor(architecture: Architecture): Promise<string | null> {
  const { compiler, strip, node, userEmulator } = machines[architecture];
  const programs = [emulatorProgram(architecture), compiler.program, strip.program];
  if (node !== process.arch) programs.push(userEmulator.program);
  for (const program of [...programs, 'mksquashfs']) {
    const words = program === 'mksquashfs' ? ['-version'] : ['--version'];
    const asked = await runCommand(program, words, patience);
    if (!asked.ok && asked.error.kind === 'missing') return program;
  }
  return null;
}
