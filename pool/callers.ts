import { fail, ok, type Result } from '../base/result.ts';
import { operatorIdentity, serviceIdentity } from './access.ts';
import type { Failure } from './failure.ts';
import type { ServiceName } from './records/host.ts';

/** What a service may call of others, and why it cannot do without. */
export interface CallRight {
  /** `/flotilla.vm.v1.VmService/OpenConsole`, or with `*` in the method's place: all of a service. */
  readonly calls: string;
  readonly caller: ServiceName;
  /** `same`: on its own host alone. */
  readonly hosts: 'same' | 'any';
  readonly why: string;
}

/**
 * What services may call of one another by gRPC. The operator may call everything, and nobody else
 * anything but this: to call is to act with the rights of who answers, so a service that was taken over
 * would otherwise read in the answers what the pool database refuses it (docs/access.md).
 */
export const callRights: readonly CallRight[] = [
  {
    calls: '/flotilla.storage.v1.AttachmentService/*',
    caller: 'vm-lifecycle',
    hosts: 'same',
    why: 'opens the disks of the VMs that it starts',
  },
  {
    calls: '/flotilla.storage.v1.StorageService/CreateVdi',
    caller: 'vm-lifecycle',
    hosts: 'same',
    why: 'makes the disks that a new VM is to own',
  },
  {
    calls: '/flotilla.storage.v1.StorageService/DeleteVdi',
    caller: 'vm-lifecycle',
    hosts: 'same',
    why: 'removes the disks that a deleted VM owned',
  },
  {
    calls: '/flotilla.network.v1.VifService/*',
    caller: 'vm-lifecycle',
    hosts: 'same',
    why: 'joins the interfaces of the VMs that it starts',
  },
  {
    calls: '/flotilla.vm.v1.VmService/OpenConsole',
    caller: 'vm-lifecycle',
    hosts: 'any',
    why: 'hands on the console of a VM that runs on another host',
  },
  {
    calls: '/flotilla.pool.v1.SupervisorService/*',
    caller: 'vm-lifecycle',
    hosts: 'any',
    why: "hands on what the operator asks of another host's supervisors",
  },
];

/** Whether an identity may call a method (`/flotilla.vm.v1.VmService/GetVm`); the failure is FORBIDDEN. */
export type Callers = (identity: string | null, method: string) => Result<void, Failure>;

/**
 * Who may call a service of a host; without a host's name no service counts as one of the same host. Without
 * TLS there are no identities: whoever reaches the loopback address may call.
 */
export function callersOf(host: string | undefined): Callers {
  return (identity, method) => {
    if (identity === null || identity === operatorIdentity) return ok(undefined);
    if (callRights.some((right) => covers(right, method) && isCaller(right, identity, host)))
      return ok(undefined);
    return fail({
      reason: 'FORBIDDEN',
      message: `${identity} may not call ${method.slice(1)} of ${host ?? 'this host'}`,
      remedy: 'Show the identity of the operator: see docs/access.md.',
    });
  };
}

function covers({ calls }: CallRight, method: string): boolean {
  return calls.endsWith('*') ? method.startsWith(calls.slice(0, -1)) : method === calls;
}

function isCaller({ caller, hosts }: CallRight, identity: string, host: string | undefined) {
  if (hosts === 'same')
    return host !== undefined && identity === serviceIdentity({ name: host }, caller);
  // A host's name has no slash.
  return (
    /^[^/]+\/[^/]+$/.test(identity) && identity.endsWith(serviceIdentity({ name: '' }, caller))
  );
}
