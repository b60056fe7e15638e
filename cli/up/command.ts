import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import * as v from 'valibot';
import { present } from '../../base/assert.ts';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { supervisorSocket } from '../../pool/supervision/messages.ts';
import { type ServedSupervisor, serveSupervisor } from '../../pool/supervision/serve.ts';
import { type GuestFlags, guestOptions, guestsOf } from './guests.ts';
import { type RunningHost, runHost } from './host.ts';
import type { HostPlan } from './host-plan.ts';
import { hypervisorNotice } from './hypervisor.ts';
import { preparePool } from './pool-directory.ts';
import { Screen } from './screen.ts';
import { type StoreFlags, storeOf, storeOptions } from './store.ts';

interface UpFlags extends StoreFlags, GuestFlags {
  readonly hosts?: number;
  readonly dir: string;
  readonly hypervisor?: 'auto' | 'xen' | 'simulated';
  readonly restart: boolean;
}

function hostCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > bounds.hosts)
    throw new InvalidArgumentError(`write a whole number from 1 to ${bounds.hosts}`);
  return count;
}

/** `flotilla up`: a whole pool on this machine, in the foreground. */
export function upCommand(): Command {
  const command = new Command('up')
    .description(
      'Run a whole pool on this machine, one process per service per host, until Ctrl-C.',
    )
    .option('--hosts <count>', 'how many hosts a new pool has (default: 3; 1 on Xen)', hostCount)
    .option('--dir <directory>', 'where the pool keeps its state', '.flotilla')
    .addOption(
      new Option(
        '--hypervisor <kind>',
        'what runs the VMs (default: xen where there is one)',
      ).choices(['auto', 'xen', 'simulated']),
    );
  return guestOptions(storeOptions(command))
    .option('--no-restart', 'leave a process that ended as it is')
    .addHelpText(
      'after',
      '\nThe state in the directory survives a restart. Exit codes: 0 stopped, 2 wrong usage or configuration.',
    )
    .action(async (flags: UpFlags) => {
      const store = storeOf(flags);
      if (!store.ok) return refuse(store.error);
      const guests = guestsOf(flags);
      if (!guests.ok) return refuse(guests.error);
      const prepared = await preparePool({
        directory: flags.dir,
        hosts: flags.hosts,
        hypervisor: flags.hypervisor,
        store: store.value,
        guests: guests.value,
      });
      if (!prepared.ok) return refuse(prepared.error);
      const { choice, plans, poolFile, isNew, began } = prepared.value;
      const notices = [
        `${isNew ? 'new pool' : 'pool'} in ${flags.dir}, ${choice.hosts.length} ${choice.hosts.length === 1 ? 'host' : 'hosts'}`,
        hypervisorNotice(choice.hypervisor),
        ...(choice.store === undefined
          ? []
          : [`database: etcd at ${choice.store.endpoints.join(', ')}; it is run elsewhere`]),
      ];
      const pool = flags.dir === '.flotilla' ? '' : ` --pool ${flags.dir}`;
      const next = isNew
        ? [
            'next, in another terminal:',
            `  npx flotilla vm create --name web --memory 256MiB --vcpus 1 --disk 1GiB --network default${pool}`,
          ]
        : [`next, in another terminal: npx flotilla vm list${pool}`];
      await runUntilStopped(plans, flags.restart, { notices, next, poolFile, served: began });
    });
}

const HostPlanSchema = v.object({
  host: v.object({ id: v.string(), name: v.string() }),
  directory: v.pipe(v.string(), v.startsWith('/')),
  processes: v.pipe(
    v.array(
      v.object({
        name: v.picklist([
          'vm-lifecycle',
          'storage',
          'network',
          'xenstore',
          'consensus',
          'service-guests',
          'simulated-hypervisor',
        ]),
        command: v.pipe(v.array(v.string()), v.minLength(1)),
        configuration: v.record(v.string(), v.unknown()),
      }),
    ),
    v.minLength(1),
  ),
  seeds: v.optional(
    v.array(
      v.object({
        directory: v.pipe(v.string(), v.startsWith('/')),
        configuration: v.record(v.string(), v.unknown()),
        files: v.record(v.string(), v.string()),
      }),
    ),
  ),
});

function readPlan(path: string): Result<HostPlan, string> {
  const remedy = 'flotilla up writes such files, as DIR/host-1/host.json';
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return fail(`${path}: ${error instanceof Error ? error.message : String(error)}; ${remedy}`);
  }
  const parsed = v.safeParse(HostPlanSchema, content);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(`${path}: ${v.getDotPath(issue) ?? 'content'}: ${issue.message}; ${remedy}`);
}

/** `flotilla host up`: the services of one host, as they are run on a machine of their own. */
export function hostUpCommand(): Command {
  return new Command('up')
    .description('Run the services of one host, and start them again when they end.')
    .requiredOption(
      '--config <file>',
      'the host: its directory, its processes, their configuration',
    )
    .option('--no-restart', 'leave a process that ended as it is')
    .action(async (flags: { readonly config: string; readonly restart: boolean }) => {
      const plan = readPlan(flags.config);
      if (!plan.ok) return refuse(plan.error);
      const notices = [`host ${plan.value.host.name}, state in ${plan.value.directory}`];
      await runUntilStopped([plan.value], flags.restart, { notices, next: [], poolFile: null });
    });
}

function refuse(error: string): void {
  process.stderr.write(`error: ${error}\n`);
  process.exitCode = 2;
}

/** Runs the hosts in the foreground, with the live view, until a signal; then ends them. */
async function runUntilStopped(
  plans: readonly HostPlan[],
  restart: boolean,
  text: {
    readonly notices: readonly string[];
    readonly next: readonly string[];
    readonly poolFile: string | null;
    readonly served?: () => void;
  },
): Promise<void> {
  const screen = new Screen(process.stdout, plans, text);
  const hosts = plans.map((plan) =>
    runHost(plan, {
      restart,
      onState: (name, state) => screen.update(plan.host.name, name, state),
    }),
  );
  const sockets = await serveSockets(plans, hosts);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve());
  });
  screen.stopping();
  for (const socket of sockets) await socket.close();
  await Promise.all(hosts.map((host) => host.stopServices()));
  await Promise.all(hosts.map((host) => host.stop()));
  screen.stopped();
  process.exitCode = 0;
}

/** Lets each host's supervisor be asked; where that cannot be, its services run nevertheless. */
async function serveSockets(
  plans: readonly HostPlan[],
  hosts: readonly RunningHost[],
): Promise<readonly ServedSupervisor[]> {
  const sockets: ServedSupervisor[] = [];
  for (const [index, { directory }] of plans.entries()) {
    const handlers = present(hosts[index], 'a running host for each plan').handlers;
    const served = await serveSupervisor(join(directory, supervisorSocket), handlers);
    if (served.ok) sockets.push(served.value);
    else process.stderr.write(`flotilla host restart will not work: ${served.error}\n`);
  }
  return sockets;
}
