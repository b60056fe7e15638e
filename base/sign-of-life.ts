import { writeFileSync } from 'node:fs';
import { type Milliseconds, milliseconds } from './units.ts';

/** The environment variable with the file that this process writes to as long as it does not hang. */
export const signOfLifeVariable = 'FLOTILLA_SIGN_OF_LIFE';

/** How often: a tenth of what a guest's init waits for it (SILENCE_MAX_MS of deploy/guest-image/init/init.h). */
export const signInterval: Milliseconds = milliseconds(6_000);

/**
 * Shows whoever has started this process that its loop turns, if that wants to be shown: it then ends a process
 * that hangs. What hangs is not the file's fault, so a sign that cannot be written is left out.
 */
export function giveSignsOfLife(path = process.env[signOfLifeVariable]): NodeJS.Timeout | null {
  if (path === undefined) return null;
  let count = 0;
  const give = (): void => {
    count += 1;
    try {
      writeFileSync(path, `${count}\n`);
    } catch {
      // The next one may be written.
    }
  };
  give();
  return setInterval(give, signInterval).unref();
}
