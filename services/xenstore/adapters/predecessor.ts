import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';

/** How long a xenstored is given to end by itself; what it knows is kept in any case. */
const patience: Milliseconds = milliseconds(5_000);

/** How long the kernel then needs at most to end it. */
const killPatience: Milliseconds = milliseconds(10_000);

const look: Milliseconds = milliseconds(20);

/** Beside the pid file: the process that goes on in the place of the one that is being ended. */
export function successorFile(pidFile: string): string {
  return `${pidFile}.successor`;
}

/**
 * Ends the xenstored whose process id a file has, so that this process can go on in its place; there
 * may be none. A process that only has got that id since is left alone. Before that it writes its own id
 * into the successor's file: whoever keeps the other one running need not start it again. The failure is
 * a sentence.
 */
export async function endPredecessor(pidFile: string): Promise<Result<void, string>> {
  const pid = readPid(pidFile);
  if (pid === null || !runsXenstored(pid)) return ok(undefined);
  writeFileSync(successorFile(pidFile), `${process.pid}\n`);
  for (const [signal, limit] of [
    ['SIGTERM', patience],
    ['SIGKILL', killPatience],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended in the meantime, or belongs to another user, which is found below.
    }
    const deadline = performance.now() + limit;
    while (performance.now() < deadline) {
      if (!runsXenstored(pid)) return ok(undefined);
      await sleep(look);
    }
  }
  return fail(`the xenstored of ${pidFile}, process ${pid}, cannot be ended; end it as root`);
}

function readPid(pidFile: string): number | null {
  try {
    const text = readFileSync(pidFile, 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) && Number(text) !== process.pid ? Number(text) : null;
  } catch {
    return null;
  }
}

/** Whether the process lives, and is a xenstored: `xenstored` is one of its words. */
function runsXenstored(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('xenstored');
  } catch {
    return false;
  }
}
