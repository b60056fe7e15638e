import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, type Result } from '../../base/result.ts';

/** Something that is done once for each boot of a host. */
export interface BootStep {
  /** A word, for the notes of this boot. */
  readonly name: string;
  /** What it brings about, for a person: `xenstore is served`. */
  readonly brings: string;
  /** What is to be said where it was begun before, and did not come to its end; null: it may be begun again. */
  readonly onceOnly: string | null;
  run(): Promise<Result<void, string>>;
}

/**
 * Runs steps in their order, each unless the notes in `directory`, which are of this boot, say that it was
 * done. A step that fails ends the row; the failure is its sentence. `say` is told what was brought about.
 */
export async function runOnce(
  directory: string,
  steps: readonly BootStep[],
  say: (text: string) => void,
): Promise<Result<void, string>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const step of steps) {
    const [begun, done] = ['begun', 'done'].map((at) => join(directory, `${step.name}.${at}`));
    if (begun === undefined || done === undefined || existsSync(done)) continue;
    if (step.onceOnly !== null && existsSync(begun)) return { ok: false, error: step.onceOnly };
    await writeFile(begun, '');
    const ran = await step.run();
    if (!ran.ok) return ran;
    await writeFile(done, '');
    say(step.brings);
  }
  return ok(undefined);
}
