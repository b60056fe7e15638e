import type { Command } from 'commander';
import { ok, type Result } from '../base/result.ts';
import type { Milliseconds } from '../base/units.ts';
import type {
  Host,
  HostEvent,
  HostState,
  SupervisedService,
} from '../proto/gen/flotilla.pool.v1.ts';
import { attestCommand } from './attest/command.ts';
import { noun, verb } from './command.ts';
import { call } from './connection/call.ts';
import { pageOf } from './connection/pages.ts';
import { type Context, processContext } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { keptLines, keptServices } from './host/kept-services.ts';
import { restartCommand } from './host/restart.ts';
import { type Listing, list, watchList } from './listing.ts';
import { age, localTime, part } from './output/humane.ts';
import type { Style } from './output/style.ts';
import { propertyLines } from './output/table.ts';
import { type PoolFlags, withPool } from './session.ts';

/** `flotilla host`: the machines of the pool. */
export function hostCommand(context: Context = processContext()): Command {
  const verbs = [
    listCommand(context),
    showCommand(context),
    attestCommand(context),
    restartCommand(context),
  ];
  return noun(context, 'host', 'Look at the hosts of the pool', verbs);
}

function listCommand(context: Context): Command {
  return verb(context, 'host', 'list', 'List the hosts')
    .option('--watch', 'keep the list current until Ctrl-C')
    .action((flags: PoolFlags & { readonly watch?: boolean }) =>
      withPool(context, flags, (session) =>
        flags.watch === true
          ? watchList(session, hostListing, 'table')
          : list(session, hostListing),
      ),
    );
}

function showCommand(context: Context): Command {
  return verb(context, 'host', 'show <host>', 'Show everything about a host').action(
    (named: string, flags: PoolFlags) =>
      withPool(context, flags, async (session) => {
        const host = await call(session.pool, (to, settings) =>
          to.pool.getHost({ host: named }, settings),
        );
        if (!host.ok) return host;
        const kept = await keptServices(session.pool, host.value);
        session.answer(
          { ...host.value, supervised: kept.ok ? kept.value : null },
          hostLines(host.value, kept, context.now(), session.style),
        );
        return ok(exitCodes.done);
      }),
  );
}

/** How hosts are listed and watched. */
export const hostListing: Listing<Host, HostEvent> = {
  columns: [
    { heading: 'NAME' },
    { heading: 'STATE' },
    { heading: 'HYPERVISOR' },
    { heading: 'CPUS', align: 'right' },
    { heading: 'MEMORY RESERVED', align: 'right' },
    { heading: 'VMS RUNNING', align: 'right' },
    { heading: 'UPTIME', align: 'right' },
  ],
  row: (host, now, style) => [
    style.paint('strong', host.name),
    paintedState(host.state, style),
    hypervisor(host),
    String(host.cpus),
    part(host.memoryReserved, host.memoryTotal),
    String(host.vmsRunning),
    host.state === 'HOST_STATE_UP' ? age(host.startTime, now) : '-',
  ],
  empty: ['no host has joined the pool yet'],
  getPage: async (to, page, settings) =>
    pageOf(await to.pool.listHosts(page, settings), ({ hosts }) => hosts),
  open: (to, resumeRevision, settings) => to.pool.watchHosts({ resumeRevision }, settings),
  itemOf: (event) => event.host,
  idOf: (host) => host.id,
  compare: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  change: (before, host) => {
    if (before === undefined) return `is ${stateWord(host.state)}`;
    if (before.state === host.state) return '';
    return `${stateWord(before.state)} -> ${stateWord(host.state)}`;
  },
  nameOf: (host) => host.name,
};

/** A host's state as people call it. */
export function stateWord(state: HostState): string {
  switch (state) {
    case 'HOST_STATE_UP':
      return 'Up';
    case 'HOST_STATE_DOWN':
      return 'Down';
    case 'HOST_STATE_UNSPECIFIED':
      return 'Unknown';
  }
}

function paintedState(state: HostState, style: Style): string {
  return style.paint(state === 'HOST_STATE_UP' ? 'good' : 'bad', stateWord(state));
}

function hypervisor(host: Host): string {
  const name = host.hypervisor === 'HYPERVISOR_XEN' ? 'Xen' : 'simulated';
  return host.hypervisorVersion === '' || name === 'simulated'
    ? name
    : `${name} ${host.hypervisorVersion}`;
}

function hostLines(
  host: Host,
  kept: Result<readonly SupervisedService[], string>,
  now: Milliseconds,
  style: Style,
): readonly string[] {
  const endpoints = Object.entries(host.endpoints).sort(([a], [b]) => a.localeCompare(b));
  return propertyLines(
    [
      ['name', style.paint('strong', host.name)],
      ['id', host.id],
      ['state', paintedState(host.state, style)],
      ['hypervisor', hypervisor(host)],
      ['cpus', String(host.cpus)],
      ['memory reserved', part(host.memoryReserved, host.memoryTotal)],
      ['vms running', String(host.vmsRunning)],
      ['started', `${localTime(host.startTime)} (${age(host.startTime, now)} ago)`],
      ...endpoints.map(
        ([service, address], index) =>
          [index === 0 ? 'services' : '', `${service.padEnd(12)}  ${address}`] as const,
      ),
      ...keptLines(kept, style).map(
        (line, index) => [index === 0 ? 'kept running' : '', line] as const,
      ),
    ],
    style,
  );
}
