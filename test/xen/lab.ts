import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildHostImage } from '../../deploy/host-image/host-image.ts';
import { cacheDirectory } from '../../deploy/image/cache.ts';
import { BuildFailure, type Report, run } from '../../deploy/image/command.ts';
import { type ArchiveEntry, cpioArchive } from '../../deploy/image/cpio.ts';
import { buildTestGuest } from '../../deploy/test-guest/test-guest.ts';
import {
  buildRuntimeLayer,
  buildSourceLayer,
  type LayerFile,
  readSources,
  sourceRoots,
  strippedProgram,
} from '../../deploy/toolstack/layers.ts';
import { freeUdpPort } from './free-port.ts';
import { bootHost, type Host, type HostPlan } from './host.ts';
import { elapsedReport } from './progress.ts';

/** What a lab is to be; each has a default. */
export interface LabOptions {
  /** How many hosts; 1 by default. */
  readonly hosts?: number;
  /** MiB of each host; 3072 by default. */
  readonly memory?: number;
  /** MiB of it that the control domain gets; 1280 by default. */
  readonly controlDomainMemory?: number;
  /** Takes a line whenever something is done or awaited; by default it goes to standard error. */
  readonly report?: Report;
}

/** Real Xen hosts under QEMU. They end with `close`, or with this process. */
export interface Lab extends AsyncDisposable {
  readonly hosts: readonly Host[];
  /** The lab's first host. */
  readonly first: Host;
  /** Where the hosts' serial logs are, until the lab is closed. */
  readonly directory: string;
  /** Kills all hosts at once, and removes what they left. */
  close(): Promise<void>;
}

/** The most hosts of a lab: each takes a third of a core when idle, and some 3 GiB. */
const hostsMax = 8;

const checkout = resolve(import.meta.dirname, '../..');

/**
 * Replaces the sources on a running host by those of the checkout as they are now, in a second.
 * Programs that run there go on with the old ones until they are restarted.
 */
export async function refreshToolstack(host: Host): Promise<void> {
  const files = await hostSources();
  const entries = files.map(({ path, content, executable }): ArchiveEntry => {
    return { path, kind: 'file', content, mode: executable ? 0o755 : 0o644 };
  });
  const replace = `cd /opt/flotilla && rm -rf ${sourceRoots.join(' ')} && busybox cpio -idm`;
  await host.sh(replace, { input: cpioArchive(entries) });
}

/** The sources that run on a host now, with the lab's agent. */
async function hostSources(): Promise<LayerFile[]> {
  return [...(await readSources(checkout)), await strippedProgram(checkout, 'test/xen/agent.ts')];
}

/**
 * Builds what is not yet built, and boots the hosts, side by side. Each is reachable through its
 * agent when this resolves, and its Xen tool stack runs. Rejects with a sentence that says what
 * is missing on this machine, or how far the boot came.
 */
export async function bootLab(options: LabOptions = {}): Promise<Lab> {
  const report = options.report ?? elapsedReport();
  const count = options.hosts ?? 1;
  if (count < 1 || count > hostsMax) throw new RangeError(`a lab has 1 to ${hostsMax} hosts`);
  await run('qemu-system-x86_64', ['--version']).catch(() => {
    throw new BuildFailure('QEMU is missing: run test/xen/prepare as root');
  });
  const image = await buildHostImage(report);
  const runtime = await buildRuntimeLayer(checkout, report);
  const sources = await buildSourceLayer(await hostSources(), report);
  const guest = await buildTestGuest(report);
  const disks = {
    'flotilla-runtime': runtime,
    'flotilla-sources': sources,
    'flotilla-guest': guest,
  };

  const runs = join(cacheDirectory(), 'runs');
  await mkdir(runs, { recursive: true });
  const directory = await mkdtemp(join(runs, `${process.pid}-`));
  const ethernet = count > 1 ? `${randomGroup()}:${await freeUdpPort()}` : undefined;
  const hosts: Host[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.kill()));
    await rm(directory, { recursive: true, force: true });
  };
  const plan = (number: number): HostPlan => ({
    ...{ number, image, disks, ethernet, report },
    directory: join(directory, `host-${number}`),
    memory: options.memory ?? 3072,
    controlDomainMemory: options.controlDomainMemory ?? 1280,
    token: randomBytes(16).toString('hex'),
  });
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const boots = await Promise.allSettled(numbers.map((number) => bootHost(plan(number))));
  for (const boot of boots) if (boot.status === 'fulfilled') hosts.push(boot.value);
  const failed = boots.find((boot) => boot.status === 'rejected');
  const [first] = hosts;
  if (failed !== undefined || first === undefined) {
    await close();
    throw failed?.reason;
  }
  return { hosts, first, directory, close, [Symbol.asyncDispose]: close };
}

/** A multicast group of the range for private use (RFC 2365), so that labs do not hear each other. */
function randomGroup(): string {
  const [a = 0, b = 0] = randomBytes(2);
  return `239.255.${a}.${b}`;
}
