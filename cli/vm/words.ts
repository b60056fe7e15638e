import type { DomainType, PowerState, Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { count, size } from '../output/humane.ts';
import type { Style } from '../output/style.ts';

/** A VM's power state as people call it. */
export function stateWord(state: PowerState): string {
  switch (state) {
    case 'POWER_STATE_HALTED':
      return 'Halted';
    case 'POWER_STATE_RUNNING':
      return 'Running';
    case 'POWER_STATE_PAUSED':
      return 'Paused';
    case 'POWER_STATE_UNKNOWN':
    case 'POWER_STATE_UNSPECIFIED':
      return 'Unknown';
  }
}

/** The same, coloured by how much it should be looked at. */
export function paintedState(state: PowerState, style: Style): string {
  const word = stateWord(state);
  switch (state) {
    case 'POWER_STATE_RUNNING':
      return style.paint('good', word);
    case 'POWER_STATE_PAUSED':
      return style.paint('busy', word);
    case 'POWER_STATE_UNKNOWN':
    case 'POWER_STATE_UNSPECIFIED':
      return style.paint('bad', word);
    case 'POWER_STATE_HALTED':
      return word;
  }
}

/** PV or PVH. */
export function typeWord(type: DomainType): string {
  return type === 'DOMAIN_TYPE_PV' ? 'PV' : 'PVH';
}

/** `web is Running on host-1`. */
export function vmSentence(vm: Vm): string {
  const where = vm.host === '' ? '' : ` on ${vm.host}`;
  const why = vm.powerStateDetail === '' ? '' : ` (${vm.powerStateDetail})`;
  return `${vm.name} is ${stateWord(vm.powerState)}${where}${why}`;
}

/** `256 MiB, 1 vCPU, 1 disk, 2 networks`. */
export function shape(vm: {
  readonly memory: number;
  readonly vcpus: number;
  readonly disks: readonly unknown[];
  readonly nics: readonly unknown[];
}): string {
  return [
    size(vm.memory),
    count(vm.vcpus, 'vCPU'),
    count(vm.disks.length, 'disk'),
    count(vm.nics.length, 'network'),
  ].join(', ');
}
