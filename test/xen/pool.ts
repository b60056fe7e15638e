import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueIdentities } from '../../cli/up/identities.ts';
import { hostPlan } from '../../cli/up/layout.ts';
import type { HostPorts, PoolChoice } from '../../cli/up/pool-choice.ts';
import { poolFileContent } from '../../cli/up/pool-directory.ts';
import type { Report } from '../../deploy/image/command.ts';
import { type ArchiveEntry, cpioArchive } from '../../deploy/image/cpio.ts';
import type { HostId } from '../../pool/records/identifiers.ts';
import { CommandFailure, type ControlDomain } from './control-domain.ts';
import type { Lab } from './lab.ts';
import { toolstackLog } from './toolstack.ts';

/** Where a host keeps the pool's state; `flotilla` finds the pool there (/etc/profile says so). */
const poolDirectory = '/var/lib/flotilla/pool';

/** Each host has an address of its own, so all use the same ports. */
const ports: HostPorts = {
  'vm-lifecycle': 20_000,
  storage: 20_001,
  network: 20_002,
  xenstore: 20_003,
  consensus: 20_004,
  peer: 20_005,
};

/** Emulated, five services take two minutes to start, and several times that on a busy machine. */
const startTimeout = 1_200_000;

/** Between two looks at a host's log, in milliseconds. */
const lookInterval = 2000;

/**
 * Makes one pool of a lab's hosts and starts Flotilla's services on all of them. Resolves when
 * all services of all hosts serve; rejects with a `CommandFailure` that has the log of the host
 * on which they do not.
 */
export async function startPool(lab: Lab, report: Report): Promise<void> {
  const choice: PoolChoice = {
    id: randomUUID(),
    name: 'lab',
    hypervisor: 'xen',
    hosts: lab.hosts.map(({ name, address }) => ({
      ...{ name, address, ports },
      id: randomUUID() as HostId,
    })),
  };
  const staging = await mkdtemp(join(lab.directory, 'pool-'));
  await issueIdentities(staging, choice);
  await writeFile(join(staging, 'pool.json'), JSON.stringify(poolFileContent(choice)));
  for (const host of lab.hosts) {
    await pushPool(host, staging);
    const plan = hostPlan(choice, host.name, join(poolDirectory, host.name));
    await lab.startToolstack(host, plan);
  }
  await rm(staging, { recursive: true });
  await Promise.all(lab.hosts.map((host) => servicesServe(host, report)));
}

/** Follows the log of `flotilla host up` until it says that all services serve. */
async function servicesServe(host: ControlDomain, report: Report): Promise<void> {
  const deadline = performance.now() + startTimeout;
  for (let reported = 0; ; ) {
    const { stdout } = await host.exec(['cat', toolstackLog]);
    const lines = stdout.split('\n').filter((line) => line !== '');
    for (const line of lines.slice(reported)) report(line);
    reported = lines.length;
    if (lines.some((line) => line.startsWith('all services serve'))) return;
    if (performance.now() > deadline)
      throw new CommandFailure(`${host.name}: the services do not serve: ${stdout.slice(-2000)}`);
    await sleep(lookInterval);
  }
}

/** Gives a host what it may know: the pool, the operator's identity, and its own services'. */
async function pushPool(host: ControlDomain, staging: string): Promise<void> {
  const entries: ArchiveEntry[] = [];
  for (const part of ['pool.json', 'identity', host.name]) {
    for (const path of await filesAt(join(staging, part))) {
      const content = await readFile(path);
      entries.push({ path: relative(staging, path), kind: 'file', content, mode: 0o600 });
    }
  }
  const unpack = `mkdir -p ${poolDirectory} && cd ${poolDirectory} && busybox cpio -idmu`;
  await host.sh(unpack, { input: cpioArchive(entries) });
}

async function filesAt(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(
    () => undefined,
  );
  if (entries === undefined) return [path];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
