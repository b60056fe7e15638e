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
  for (let ran = false; !signal.aborted; ) {
    const runs = await consolesRun();
    if (runs && !ran) say('xenconsoled runs');
    ran = runs;
    if (!runs) {
      const trouble = await startConsoles();
      if (trouble !== null) say(`xenconsoled does not start: ${trouble}`);
    }
    await sleep(lookInterval, undefined, { signal }).catch(() => undefined);
  }
}

/** It goes into the background by itself; what was started ends before it is there. Null: it began well. */
async function startConsoles(): Promise<string | null> {
  const child = spawn(toolFile('xenconsoled'), [`--pid-file=${pidFile}`], { stdio: 'ignore' });
  try {
    const [code] = await once(child, 'exit');
    return code === 0 ? null : `exit code ${String(code)}`;
  } catch (error) {
    return String(error);
  }
}

async function consolesRun(): Promise<boolean> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  // The number may be another process's by now.
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'xenconsoled';
}
