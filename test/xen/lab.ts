import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { GuestServiceName } from '../../deploy/guest-image/services.ts';
import { buildHostImage } from '../../deploy/host-image/host-image.ts';
import { BuildFailure, type Report } from '../../deploy/image/command.ts';
import { buildTestGuest } from '../../deploy/test-guest/test-guest.ts';
import { buildRuntimeLayer, buildSourceLayer } from '../../deploy/toolstack/layers.ts';
import type { ControlDomain } from './control-domain.ts';
import { type Ethernet, openEthernet } from './ethernet.ts';
import { buildImagesLayer } from './guest-images.ts';
import { bootHost, type Host, type HostPlan } from './host.ts';
import { elapsedReport } from './progress.ts';
import { runsDirectory, sweepRuns, writeRecord } from './record.ts';
import { checkout, hostSources, refreshToolstack, startToolstack } from './toolstack.ts';

/** What a lab is to be; each has a default. */
export interface LabOptions {
  /** How many hosts; 1 by default. */
  readonly hosts?: number;
  /**
   * Processors of each host; 1 by default. The control domain has the first and no other, for emulated
   * processors that wait for each other spin: with both of two it takes three times as long to boot on two
   * busy cores. Guests have them all: on a quiet machine a second one serves a host in parts in half the time.
   */
  readonly processors?: number;
  /** MiB of each host; 3072 by default. */
  readonly memory?: number;
  /** MiB of it that the control domain gets; 1280 by default. */
  readonly controlDomainMemory?: number;
  /** Further words for the control domains' kernels, such as `flotilla.xenstored=c`. */
  readonly words?: readonly string[];
  /** Further words for the hypervisors, such as `guest_loglvl=all`, with which they print what guests log there. */
  readonly hypervisorWords?: readonly string[];
  /** The services whose guest images the hosts have, signed, in /var/lib/flotilla/images; none by default. */
  readonly images?: readonly GuestServiceName[];
  /** Takes a line whenever something is done or awaited; by default it goes to standard error. */
  readonly report?: Report;
}

/** Real Xen hosts under QEMU. They end with `close`, or with this process, however it ends. */
export interface Lab extends AsyncDisposable {
  readonly hosts: readonly Host[];
  /** The lab's first host; most labs have no other. */
  readonly first: Host;
  /** The cable between the hosts, which can be cut. */
  readonly ethernet: Ethernet;
  /** Where the hosts' serial logs are, until the lab is closed. */
  readonly directory: string;
  /** Pushes the checkout's sources as they are now to a host; what runs there is not restarted. */
  refresh(host: ControlDomain): Promise<void>;
  /**
   * Gives a host the configuration with which its init runs
   * `flotilla host up --config /etc/flotilla/host.json`.
   */
  startToolstack(host: ControlDomain, config: object): Promise<void>;
  /** Kills all hosts at once, and removes what they left. */
  close(): Promise<void>;
}

/** The most hosts of a lab: each takes a third of a processor when idle, and some 3 GiB. */
const hostsMax = 8;

const memoryDefault = 3072;
const controlDomainMemoryDefault = 1280;

/**
 * Builds what is not yet built, and boots the hosts, side by side. Each is reachable through its
 * agent when this resolves, and its Xen tool stack runs. Rejects with a `BuildFailure` that says
 * what this machine lacks, or a `BootFailure` that says how far a boot came.
 */
export async function bootLab(options: LabOptions = {}): Promise<Lab> {
  const report = options.report ?? elapsedReport();
  const { hosts: count = 1, images = [] } = options;
  if (!Number.isInteger(count) || count < 1 || count > hostsMax)
    throw new BuildFailure(`a lab has 1 to ${hostsMax} hosts, not ${count}`);
  prepareMachine();
  const image = await buildHostImage(report);
  const disks = {
    'flotilla-runtime': await buildRuntimeLayer(checkout, report),
    'flotilla-sources': await buildSourceLayer(await hostSources(), report),
    'flotilla-guest': await buildTestGuest(report),
    ...(images.length === 0 ? {} : { 'flotilla-images': await buildImagesLayer(images, report) }),
  };
  await sweepRuns();
  await mkdir(runsDirectory(), { recursive: true });
  const directory = await mkdtemp(join(runsDirectory(), `${process.pid}-`));
  const ethernet = await openEthernet(count);
  const plan = (index: number): HostPlan => ({
    ...{ image, disks, report, ethernet: count > 1 ? ethernet.ports[index] : undefined },
    number: index + 1,
    directory: join(directory, `host-${index + 1}`),
    processors: options.processors ?? 1,
    memory: options.memory ?? memoryDefault,
    controlDomainMemory: options.controlDomainMemory ?? controlDomainMemoryDefault,
    words: options.words ?? [],
    hypervisorWords: options.hypervisorWords ?? [],
    token: randomBytes(16).toString('hex'),
  });
  const indexes = Array.from({ length: count }, (_, index) => index);
  const boots = await Promise.allSettled(indexes.map((index) => bootHost(plan(index))));
  const hosts = boots.flatMap((boot) => (boot.status === 'fulfilled' ? [boot.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.kill()));
    ethernet.close();
  };
  const close = async (): Promise<void> => {
    await stop();
    await rm(directory, { recursive: true, force: true });
  };
  const failed = boots.find((boot) => boot.status === 'rejected');
  const [first] = hosts;
  if (failed !== undefined || first === undefined) {
    // The logs stay, for whoever looks for the cause.
    await stop();
    throw failed?.reason;
  }
  await writeRecord(directory, hosts);
  return {
    ...{ hosts, first, ethernet, directory, close },
    refresh: refreshToolstack,
    startToolstack,
    [Symbol.asyncDispose]: close,
  };
}

/** Runs `test/xen/prepare`, which installs what is missing when it may, and says so when not. */
function prepareMachine(): void {
  const prepare = join(import.meta.dirname, 'prepare');
  const { status } = spawnSync('sh', [prepare], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new BuildFailure('this machine is not prepared for the Xen lab');
}
