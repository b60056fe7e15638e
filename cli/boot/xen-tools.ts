import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where Debian has the tools that go with one release of Xen. */
const tools = '/usr/lib/xen-4.17/bin';

const pidFile = '/run/xen/xenconsoled.pid';

/** How often it is looked whether xenconsoled runs, in milliseconds. */
const lookInterval = 2_000;

/** The file of one of Xen's tools. */
export function toolFile(name: string): string {
  return `${tools}/${name}`;
}

/**
 * Sees that xenconsoled runs, which has the guests' consoles, until `signal` says that it is enough. It goes
 * on when whoever started it has ended, and is then found again.
 */
export async function keepConsoles(
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (!(await consolesRun())) {
      const child = spawn(toolFile('xenconsoled'), [`--pid-file=${pidFile}`], { stdio: 'ignore' });
      const ended = await Promise.race([
        once(child, 'exit').then(([code]) => `with ${String(code)}`),
        once(child, 'error').then(([error]) => `: ${String(error)}`),
      ]);
      // It goes on in the background, and what was started ends at once.
      say((await consolesRun()) ? 'xenconsoled runs' : `xenconsoled ended ${ended}`);
    }
    await sleep(lookInterval, undefined, { signal }).catch(() => undefined);
  }
}

async function consolesRun(): Promise<boolean> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  // The number may be another process's by now.
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'xenconsoled';
}
