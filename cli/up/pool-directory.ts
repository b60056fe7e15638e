import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fail, ok, type Result } from '../../base/result.ts';
import type { ExternalDatabase } from '../connection/find-pool.ts';
import { endpoints } from './addresses.ts';
import { choosePool, readChoice, saveChoice, writeDurably } from './choice.ts';
import { writeConfigurations } from './host.ts';
import type { HostPlan } from './host-plan.ts';
import { isXenControlDomain } from './hypervisor.ts';
import { issueIdentities } from './identities.ts';
import { hostPlan } from './layout.ts';
import type { GuestsChoice, PoolChoice } from './pool-choice.ts';
import { portsAreFree } from './ports.ts';

/** What the operator asked for; undefined: whatever the pool has, or the default for a new one. */
export interface UpRequest {
  readonly directory: string;
  readonly hosts: number | undefined;
  readonly hypervisor: 'auto' | 'xen' | 'simulated' | undefined;
  /** A cluster of etcd to use; undefined: the pool's own database, or what the pool has. */
  readonly store: ExternalDatabase | undefined;
  /** Services that are to run as guests; undefined: none, or those that the pool has. */
  readonly guests: GuestsChoice | undefined;
}

/** A pool that can be run. */
export interface PreparedPool {
  readonly choice: PoolChoice;
  readonly plans: readonly HostPlan[];
  /** The file by which the CLI finds the pool. */
  readonly poolFile: string;
  readonly isNew: boolean;
  /** To be called when all services serve. */
  began(): void;
}

/** How many hosts a new pool has: the least that survives the loss of one. */
const defaultHosts = 3;

/** Makes a pool in a directory, or reads the one that is there. Nothing is written where it fails. */
export async function preparePool(request: UpRequest): Promise<Result<PreparedPool, string>> {
  const directory = resolve(request.directory);
  const read = readChoice(directory);
  if (!read.ok) return read;
  const isNew = read.value === null;
  const chosen = isNew ? await newPool(request) : sameAsAsked(read.value as PoolChoice, request);
  if (!chosen.ok) return chosen;
  const choice = chosen.value;
  for (const host of choice.hosts) {
    const free = await portsAreFree(host.address, host.ports);
    if (!free.ok)
      return fail(
        `${free.error}; stop that program (another flotilla up of this directory?), or start a new pool with --dir`,
      );
  }
  await issueIdentities(directory, choice);
  if (isNew || request.store !== undefined) saveChoice(directory, choice);
  const poolFile = join(directory, 'pool.json');
  writeDurably(poolFile, `${JSON.stringify(poolFileContent(choice), null, 2)}\n`);
  const plans = writePlans(directory, choice);
  return ok({
    choice,
    plans,
    poolFile,
    isNew,
    began: () => {
      if (choice.databaseBegan === true || choice.store !== undefined) return;
      const since = { ...choice, databaseBegan: true };
      saveChoice(directory, since);
      for (const plan of writePlans(directory, since)) writeConfigurations(plan);
    },
  });
}

function writePlans(directory: string, choice: PoolChoice): readonly HostPlan[] {
  return choice.hosts.map((host) => {
    const hostDirectory = join(directory, host.name);
    mkdirSync(hostDirectory, { recursive: true, mode: 0o700 });
    const plan = hostPlan(choice, host.name, hostDirectory);
    writeDurably(join(hostDirectory, 'host.json'), `${JSON.stringify(plan, null, 2)}\n`);
    return plan;
  });
}

async function newPool(request: UpRequest): Promise<Result<PoolChoice, string>> {
  const xen = isXenControlDomain();
  if (request.hypervisor === 'xen' && !xen)
    return fail(
      '--hypervisor xen: this machine is not the control domain of a Xen host; take --hypervisor simulated, or `npm run xen` for real Xen in QEMU',
    );
  const hypervisor = request.hypervisor !== 'simulated' && xen ? 'xen' : 'simulated';
  const hosts = request.hosts ?? (hypervisor === 'xen' ? 1 : defaultHosts);
  if (hypervisor === 'xen' && hosts > 1)
    return fail(
      `--hosts ${hosts}: this machine is one Xen host; take --hosts 1, or --hypervisor simulated`,
    );
  if (existsSync(join(request.directory, 'pool.json')))
    return fail(
      `${request.directory} has a pool.json but no choice.json: it was not made by flotilla up, or is damaged; choose another --dir`,
    );
  const { store, guests } = request;
  if (guests !== undefined && hypervisor !== 'xen')
    return fail(
      '--guest: service guests want a Xen host; leave the flag out, or use `npm run xen`',
    );
  if (guests !== undefined && store !== undefined)
    return fail(
      '--guest consensus: the pool of --store has no database of its own; take one of them',
    );
  return ok(await choosePool('pool', hosts, hypervisor, { store, guests }));
}

function sameAsAsked(choice: PoolChoice, request: UpRequest): Result<PoolChoice, string> {
  const { hosts, hypervisor } = request;
  if (hosts !== undefined && hosts !== choice.hosts.length)
    return fail(
      `--hosts ${hosts}: the pool in ${request.directory} has ${choice.hosts.length}; leave the flag out, or start a new pool with --dir`,
    );
  if (hypervisor !== undefined && hypervisor !== 'auto' && hypervisor !== choice.hypervisor)
    return fail(
      `--hypervisor ${hypervisor}: the pool in ${request.directory} was made with ${choice.hypervisor}; leave the flag out, or start a new pool with --dir`,
    );
  if (
    request.guests !== undefined &&
    JSON.stringify(request.guests) !== JSON.stringify(choice.guests)
  )
    return fail(
      `--guest: the pool in ${request.directory} was made with other service guests; leave the flag out, or start a new pool with --dir`,
    );
  if (request.store === undefined) return ok(choice);
  if (choice.store === undefined)
    return fail(
      `--store: the pool in ${request.directory} has a database of its own; leave the flag out, or start a new pool with --dir`,
    );
  // The members of that etcd may have moved, and its certificates too; what they hold is the pool.
  return ok({ ...choice, store: request.store });
}

/** What the CLI reads: see `cli/connection`. */
export function poolFileContent(choice: PoolChoice): object {
  return {
    name: choice.name,
    hosts: choice.hosts.map((host) => ({
      id: host.id,
      name: host.name,
      endpoints: endpoints(choice, host),
    })),
    identity: {
      ca: 'identity/ca.pem',
      certificate: 'identity/operator.pem',
      key: 'identity/operator-key.pem',
    },
    ...(choice.store === undefined ? {} : { database: choice.store }),
  };
}
