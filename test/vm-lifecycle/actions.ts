import { present } from '../../base/assert.ts';
import type { VmId } from '../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../pool/records/operation.ts';
import type { Input } from '../../proto/codec.ts';
import type { Operation } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { endOf, granted, type Service, someCall, vmRequest, type World } from './world.ts';

/** The verbs that take nothing but a VM's name. */
export type PlainVerb = 'startVm' | 'shutdownVm' | 'rebootVm' | 'destroyVm' | 'deleteVm';

/** Asks a service for a verb, and returns what it answers. */
export function ask(service: Service, verb: PlainVerb, vm: string, host = '') {
  const { handlers } = service.lifecycle;
  const request = { vm, host, validateOnly: false, requestId: '', timeoutSeconds: 0 };
  switch (verb) {
    case 'startVm':
      return handlers.startVm?.(request, someCall);
    case 'shutdownVm':
      return handlers.shutdownVm?.(request, someCall);
    case 'rebootVm':
      return handlers.rebootVm?.(request, someCall);
    case 'destroyVm':
      return handlers.destroyVm?.(request, someCall);
    case 'deleteVm':
      return handlers.deleteVm?.(request, someCall);
  }
}

/** Does a verb to its end, which must be a good one. */
export async function carryOut(
  world: World,
  service: Service,
  verb: PlainVerb,
  vm: string,
): Promise<OperationRecord> {
  return succeeded(world, granted(await ask(service, verb, vm)));
}

/** Makes a VM and returns its id. */
export async function create(
  world: World,
  service: Service,
  name: string,
  change: Partial<Vm> = {},
  host = '',
): Promise<VmId> {
  const request = { ...vmRequest(name, change), host };
  const asked = await service.lifecycle.handlers.createVm?.(request, someCall);
  const operation = await succeeded(world, granted(asked));
  return operation.resource.id as VmId;
}

/** Waits for an operation's end, which must be a good one. */
export async function succeeded(
  world: World,
  operation: Input<Operation>,
): Promise<OperationRecord> {
  const ended = await endOf(world.pool, operation.id);
  if (ended.state === 'succeeded') return ended;
  throw new Error(`${ended.verb} ${ended.state}: ${ended.failure?.message ?? ''}`);
}

/** The n-th service of a list that has it. */
export function nth<Item>(items: readonly Item[], index: number): Item {
  return present(items[index], `there are more than ${index}`);
}
