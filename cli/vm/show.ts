import type { Command } from 'commander';
import { ok } from '../../base/result.ts';
import type { Milliseconds } from '../../base/units.ts';
import type { Boot, Disk, Nic, Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { age, localTime, size } from '../output/humane.ts';
import type { Style } from '../output/style.ts';
import { propertyLines } from '../output/table.ts';
import { type PoolFlags, withPool } from '../session.ts';
import { getVm } from './get.ts';
import { type PartNames, partNames } from './parts.ts';
import { paintedState, typeWord } from './words.ts';

/** `flotilla vm show`. */
export function showCommand(context: Context): Command {
  return verb(context, 'vm', 'show <vm>', 'Show everything about a VM').action(
    (named: string, flags: PoolFlags) =>
      withPool(context, flags, async (session) => {
        const vm = await getVm(session, named);
        if (!vm.ok) return vm;
        const names = session.json ? new Map() : await partNames(session.pool, vm.value);
        session.answer(vm.value, vmLines(vm.value, names, context.now(), session.style));
        return ok(exitCodes.done);
      }),
  );
}

/** Everything about a VM, for people. */
export function vmLines(
  vm: Vm,
  names: PartNames,
  now: Milliseconds,
  style: Style,
): readonly string[] {
  return propertyLines(
    [
      ['name', style.paint('strong', vm.name)],
      ['id', vm.id],
      ['state', state(vm, now, style)],
      ...(vm.host === '' ? [] : [['host', host(vm)] as const]),
      ['type', typeWord(vm.type)],
      ['memory', size(vm.memory)],
      ['vcpus', String(vm.vcpus)],
      ...bootRows(vm.boot),
      ...vm.disks.map(
        (disk, index) => [index === 0 ? 'disks' : '', diskText(disk, names)] as const,
      ),
      ...vm.nics.map((nic, index) => [index === 0 ? 'networks' : '', nicText(nic, names)] as const),
      ...(vm.operation === '' ? [] : [['operation', vm.operation] as const]),
      ['created', `${localTime(vm.createTime)} (${age(vm.createTime, now)} ago)`],
    ],
    style,
  );
}

function state(vm: Vm, now: Milliseconds, style: Style): string {
  const since = vm.startTime === null ? '' : ` for ${age(vm.startTime, now)}`;
  const why = vm.powerStateDetail === '' ? '' : ` (${vm.powerStateDetail})`;
  return `${paintedState(vm.powerState, style)}${since}${why}`;
}

function host(vm: Vm): string {
  const domain = vm.domid === 0 ? '' : `, domain ${vm.domid}`;
  return `${vm.host}${domain}, epoch ${vm.epoch}`;
}

function bootRows(boot: Boot | null): readonly (readonly [string, string])[] {
  if (boot === null || boot.kernel === '') return [['kernel', "the host's default"]];
  return [
    ['kernel', boot.kernel],
    ...(boot.ramdisk === '' ? [] : [['ramdisk', boot.ramdisk] as const]),
    ...(boot.commandLine === '' ? [] : [['command line', boot.commandLine] as const]),
  ];
}

function diskText(disk: Disk, names: PartNames): string {
  const mode = disk.readOnly ? ', read-only' : '';
  const kept = disk.owned ? '' : ', kept when the VM is deleted';
  return `${disk.vdev}  ${names.get(disk.vdi) ?? disk.vdi}${mode}${kept}`;
}

function nicText(nic: Nic, names: PartNames): string {
  return `${nic.mac}  ${names.get(nic.network) ?? nic.network}`;
}
