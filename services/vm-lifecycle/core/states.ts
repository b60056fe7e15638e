import { fail, ok, type Result } from '../../../base/result.ts';
import type { PowerReport } from './power.ts';
import { type Refusal, refuseVm } from './refusal.ts';

/** What can be asked of a VM that exists. `rename` and `change` are the two kinds of UpdateVm. */
export const verbs = [
  'start',
  'shutdown',
  'reboot',
  'destroy',
  'delete',
  'rename',
  'change',
] as const;
export type Verb = (typeof verbs)[number];

/** All that decides whether a verb is allowed. */
export interface VmSituation {
  readonly name: string;
  readonly lifecycle: 'creating' | 'ready' | 'deleting';
  readonly desired: 'halted' | 'running';
  readonly power: PowerReport;
  /** The operation under way on the VM, and the host that runs it. */
  readonly operation: {
    readonly id: string;
    readonly verb: string;
    readonly host: string;
    readonly hostUp: boolean;
  } | null;
}

/**
 * Whether `verb` is allowed on a VM in this situation. A refusal says what stands in the way and
 * the command that clears it. The order of the checks is the order in which an operator must act:
 * the operation under way first, then the life cycle, then the host, then the power state.
 */
export function allow(verb: Verb, vm: VmSituation): Result<void, Refusal> {
  const refusal = busy(vm) ?? unready(verb, vm) ?? unreachable(verb, vm) ?? powered(verb, vm);
  return refusal === null ? ok(undefined) : fail(refusal);
}

function busy({ name, operation }: VmSituation): Refusal | null {
  if (operation === null) return null;
  const what = `an operation on vm ${name} is under way: ${operation.verb} (${operation.id})`;
  if (!operation.hostUp)
    return refuseVm(
      'BUSY',
      name,
      `${what}, and ${operation.host}, which runs it, is down`,
      `Bring ${operation.host} back: the operation goes on by itself.`,
    );
  return refuseVm(
    'BUSY',
    name,
    what,
    `Wait for it: flotilla operation watch ${operation.id}; or cancel it: flotilla operation cancel ${operation.id}.`,
  );
}

function unready(verb: Verb, { name, lifecycle }: VmSituation): Refusal | null {
  if (lifecycle === 'ready' || verb === 'delete') return null;
  const message =
    lifecycle === 'creating'
      ? `vm ${name} was never completed`
      : `vm ${name} is being deleted, and some of its disks may be gone`;
  return refuseVm('WRONG_STATE', name, message, `Delete it: flotilla vm delete ${name}.`);
}

function unreachable(verb: Verb, { name, power }: VmSituation): Refusal | null {
  if (power.state !== 'unknown' || verb === 'rename') return null;
  return refuseVm(
    'HOST_UNREACHABLE',
    name,
    `vm ${name} was last claimed by ${power.host}, which is down: nobody can say whether it runs`,
    `Bring ${power.host} back: flotilla host show ${power.host}.`,
  );
}

function powered(verb: Verb, vm: VmSituation): Refusal | null {
  const { name, desired, power } = vm;
  const stopped = desired === 'halted' && power.state === 'halted';
  const where = power.host === '' ? '' : ` on ${power.host}`;
  switch (verb) {
    case 'rename':
      return null;
    case 'start':
      if (stopped) return null;
      if (desired === 'halted' || power.state === 'halted') return leftover(vm);
      return refuseVm('WRONG_STATE', name, `vm ${name} is ${power.state}${where} already`, '');
    case 'change':
    case 'delete':
      if (stopped) return null;
      if (desired === 'halted' || power.state === 'halted') return leftover(vm);
      return refuseVm(
        'WRONG_STATE',
        name,
        `vm ${name} is ${power.state}${where}`,
        `Shut it down first: flotilla vm shutdown ${name}.`,
      );
    case 'destroy':
      if (!stopped) return null;
      return refuseVm('WRONG_STATE', name, `vm ${name} is halted already`, '');
    case 'shutdown':
    case 'reboot':
      if (power.state === 'running' && desired === 'running') return null;
      if (stopped)
        return refuseVm(
          'WRONG_STATE',
          name,
          `vm ${name} is halted`,
          verb === 'reboot' ? `Start it: flotilla vm start ${name}.` : '',
        );
      if (power.state !== 'paused') return leftover(vm);
      return refuseVm(
        'WRONG_STATE',
        name,
        `vm ${name} is paused${where}, so its guest cannot answer`,
        `Stop it at once: flotilla vm destroy ${name}.`,
      );
  }
}

/** Wanted and reported states differ while no operation works on it: an earlier one failed. */
function leftover({ name, desired, power }: VmSituation): Refusal {
  return refuseVm(
    'WRONG_STATE',
    name,
    `vm ${name} is to be ${desired} but is ${power.state} on ${power.host}: an earlier operation on it failed`,
    `Clear what is left of it: flotilla vm destroy ${name}.`,
  );
}
