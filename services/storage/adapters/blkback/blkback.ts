import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { Clock } from '../../../../pool/clock.ts';
import type { Failure } from '../../../../pool/failure.ts';

/** How long what guests have asked of a disk may take; a disk that is slower hangs. */
const patience = milliseconds(20_000);
const look = milliseconds(20);

/** The domain's own directory of xenstore, as far as it takes; paths begin in it. */
export interface OwnNodes {
  /** Null: there is no such node. */
  read(path: string): Promise<Result<string | null, Failure>>;
  write(path: string, value: string): Promise<Result<void, Failure>>;
  remove(path: string): Promise<Result<void, Failure>>;
}

/** Where blkback is looked at. */
export interface BlkbackSettings {
  readonly nodes: OwnNodes;
  readonly clock: Clock;
  /** Tests bring their own. */
  readonly sysfs?: string;
}

/** The kernel's backend of disks in the driver domain that this service runs in. */
export interface Blkback {
  /** Takes up the disks that an earlier run of the service let go of; how many they were. */
  resume(): Promise<Result<number, Failure>>;
  /**
   * Lets go of every disk once all is answered that its guest has asked, and says so in xenstore:
   * before the domain ends. Guests wait from here on; what they ask stays in their rings. How many
   * disks they were.
   */
  drain(): Promise<Result<number, Failure>>;
}

/**
 * blkback of Linux since 5.6, which takes rings up where they stand (drivers/block/xen-blkback,
 * `allow_rebind`): it is unbound from a disk and bound to it again while the frontend knows nothing.
 * A toolstack lets a new domain have the disks only after `drain`, as a ring that was left in the
 * middle holds requests that were answered already.
 */
export function linuxBlkback({ nodes, clock, sysfs = '/sys' }: BlkbackSettings): Blkback {
  const bus = `${sysfs}/bus/xen-backend`;
  const driver = `${bus}/drivers/vbd`;

  const resume = async (): Promise<number> => {
    let count = 0;
    for (const name of await disksIn(`${bus}/devices`)) {
      if (await exists(`${driver}/${name}`)) continue;
      // Before: from then on requests are under way.
      orThrow(await nodes.remove(`${entriesOf(name)}/drained`));
      await writeFile(`${driver}/bind`, name);
      count += 1;
    }
    return count;
  };

  const drain = async (): Promise<number> => {
    const names = await disksIn(driver);
    for (const name of names) {
      await writeFile(`${driver}/unbind`, name);
      await untilIdle(name);
      orThrow(await nodes.write(`${entriesOf(name)}/drained`, '1'));
    }
    return names.length;
  };

  /** Unbinding returns when blkback takes nothing more; what it has taken may still be on its way. */
  const untilIdle = async (name: string): Promise<void> => {
    const number = orThrow(await nodes.read(`${entriesOf(name)}/physical-device`));
    const match = /^([0-9a-f]{1,3}):([0-9a-f]{1,5})$/.exec(number ?? '');
    if (match === null) return;
    const [major, minor] = [match[1], match[2]].map((part) => Number.parseInt(part ?? '', 16));
    const file = `${sysfs}/dev/block/${major}:${minor}/inflight`;
    for (const until = clock.now() + patience; ; await clock.sleep(look)) {
      const counts = (await readFile(file, 'utf8')).trim().split(/\s+/);
      if (counts.every((count) => count === '0')) return;
      if (clock.now() >= until) throw new Error(`requests to ${name} do not end`);
    }
  };

  return { resume: () => attempt('taken up', resume), drain: () => attempt('let go of', drain) };
}

/** Disks of guests as the bus names them: `vbd-9-51712`. */
async function disksIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^vbd-\d{1,5}-\d{1,9}$/.test(name)).sort();
}

function entriesOf(name: string): string {
  return `backend/${name.replaceAll('-', '/')}`;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A failure on the way to the one result that is told. */
function orThrow<Value>(result: Result<Value, Failure>): Value {
  if (result.ok) return result.value;
  throw new Error(result.error.message);
}

async function attempt(
  what: string,
  work: () => Promise<number>,
): Promise<Result<number, Failure>> {
  try {
    return ok(await work());
  } catch (error) {
    return fail({
      reason: 'STORAGE',
      message: `the disks of guests cannot be ${what}: ${error instanceof Error ? error.message : error}`,
      remedy: 'See that xen-blkback is loaded and that the service may write to /sys.',
    });
  }
}
