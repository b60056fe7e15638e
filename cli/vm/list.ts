import { type Command, Option } from 'commander';
import type { PowerState, Vm, VmEvent, VmFilter } from '../../proto/gen/flotilla.vm.v1.ts';
import { verb } from '../command.ts';
import { pageOf } from '../connection/pages.ts';
import type { Context } from '../context.ts';
import { type Listing, list, watchList } from '../listing.ts';
import { age, nothing, shortId, size } from '../output/humane.ts';
import { type PoolFlags, withPool } from '../session.ts';
import { getVm } from './get.ts';
import { paintedState, stateWord, vmSentence } from './words.ts';

/** The filter that `--name`, `--state` and `--host` make. */
type Filter = Partial<VmFilter>;

/** How VMs are listed and watched. */
export function vmListing(filter: Filter): Listing<Vm, VmEvent> {
  return {
    columns: [
      { heading: 'NAME' },
      { heading: 'STATE' },
      { heading: 'HOST' },
      { heading: 'VCPUS', align: 'right' },
      { heading: 'MEMORY', align: 'right' },
      { heading: 'UPTIME', align: 'right' },
      { heading: 'OPERATION' },
    ],
    row: (vm, now, style) => [
      style.paint('strong', vm.name),
      paintedState(vm.powerState, style),
      vm.host === '' ? nothing : vm.host,
      String(vm.vcpus),
      size(vm.memory),
      age(vm.startTime, now),
      vm.operation === '' ? nothing : shortId(vm.operation),
    ],
    empty: Object.values(filter).some((value) => value !== undefined)
      ? ['no VM matches']
      : [
          'there are no VMs yet; make the first one with',
          '  flotilla vm create --name web --memory 256MiB --disk 1GiB --network default --start',
        ],
    getPage: async (to, page, settings) =>
      pageOf(await to.vm.listVms({ ...page, filter }, settings), ({ vms }) => vms),
    open: (to, resumeRevision, settings) => to.vm.watchVms({ resumeRevision, filter }, settings),
    itemOf: (event) => event.vm,
    idOf: (vm) => vm.id,
    compare: (a, b) => a.name.localeCompare(b.name),
    change: (before, vm) => vmChange(before, vm),
    nameOf: (vm) => vm.name,
  };
}

/** What is new about a VM: its power state, its host, or the operation on it. */
export function vmChange(before: Vm | undefined, vm: Vm): string {
  if (before === undefined) return vmSentence(vm).slice(vm.name.length + 1);
  const changes: string[] = [];
  const why = vm.powerStateDetail === '' ? '' : ` (${vm.powerStateDetail})`;
  const where = vm.host === '' ? '' : ` on ${vm.host}`;
  if (before.powerState !== vm.powerState)
    changes.push(`${stateWord(before.powerState)} -> ${stateWord(vm.powerState)}${where}${why}`);
  else if (before.host !== vm.host && vm.host !== '') changes.push(`is placed${where}`);
  if (before.operation !== vm.operation)
    changes.push(
      vm.operation === ''
        ? `operation ${before.operation} ended`
        : `operation ${vm.operation} began`,
    );
  if (before.name !== vm.name) changes.push(`was called ${before.name}`);
  return changes.join(', ');
}

interface ListFlags extends PoolFlags {
  readonly watch?: boolean;
  readonly name?: string;
  readonly state?: 'running' | 'halted' | 'paused' | 'unknown';
  readonly host?: string;
}

/** `flotilla vm list`. */
export function listCommand(context: Context): Command {
  return verb(context, 'vm', 'list', 'List the VMs')
    .option('--watch', 'keep the list current until Ctrl-C')
    .option('--name <text>', 'only VMs whose name contains this')
    .addOption(
      new Option('--state <state>', 'only VMs in this state').choices([
        'running',
        'halted',
        'paused',
        'unknown',
      ]),
    )
    .option('--host <host>', 'only VMs on this host')
    .action((flags: ListFlags) =>
      withPool(context, flags, (session) => {
        const listing = vmListing(filterOf(flags));
        return flags.watch === true ? watchList(session, listing, 'table') : list(session, listing);
      }),
    );
}

function filterOf({ name, state, host }: ListFlags): Filter {
  const states: Readonly<Record<NonNullable<typeof state>, PowerState>> = {
    running: 'POWER_STATE_RUNNING',
    halted: 'POWER_STATE_HALTED',
    paused: 'POWER_STATE_PAUSED',
    unknown: 'POWER_STATE_UNKNOWN',
  };
  return {
    ...(name !== undefined && { name }),
    ...(state !== undefined && { powerState: states[state] }),
    ...(host !== undefined && { host }),
  };
}

/** `flotilla vm watch`. */
export function watchCommand(context: Context): Command {
  return verb(context, 'vm', 'watch', 'Print a line for every change of a VM, until Ctrl-C')
    .argument('[vm]', 'only this one: its name or id')
    .action((named: string | undefined, flags: PoolFlags) =>
      withPool(context, flags, async (session) => {
        if (named === undefined) return watchList(session, vmListing({}), 'lines');
        const vm = await getVm(session, named);
        if (!vm.ok) return vm;
        return watchList(session, only(vm.value.id), 'lines');
      }),
    );
}

/** One VM's changes, until it is deleted. */
function only(id: string): Listing<Vm, VmEvent> {
  return {
    ...vmListing({}),
    itemOf: (event) => (event.vm?.id === id ? event.vm : null),
    isLast: (event) => event.type === 'CHANGE_TYPE_DELETED' && event.vm?.id === id,
  };
}
