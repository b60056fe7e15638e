import type { Failure } from '../../../pool/failure.ts';
import { notFound } from '../../../pool/named-collection.ts';
import type { Epoch, VdiId, VmId } from '../../../pool/records/identifiers.ts';
import type { VdiRecord } from '../../../pool/records/storage.ts';
import type { Refusal } from '../core/fencing.ts';
import type { Repository } from './repositories.ts';

/** Why a claim is not given a disk, and what to do about it. */
export function refusal(
  decision: Refusal,
  { name }: VdiRecord,
  { vm, epoch }: { vm: VmId; epoch: Epoch },
): Failure {
  const resource = { type: 'vdi', name };
  switch (decision.kind) {
    case 'no-vm':
      return { ...notFound('vm', vm), field: 'vm' };
    case 'stale':
      return {
        reason: 'STALE_EPOCH',
        message: `the claim ${epoch} of the VM ${vm} is over: its newest is ${decision.newest}`,
        remedy: 'Stop what this claim runs; the newer one has the disks.',
        ...{ resource, field: 'epoch' },
      };
    case 'unclaimed':
      return {
        reason: 'WRONG_STATE',
        message: `the VM ${vm} was never claimed under the epoch ${epoch}: its newest is ${decision.newest}`,
        remedy: 'Claim the VM first.',
        ...{ resource, field: 'epoch' },
      };
    case 'in-use':
      return {
        reason: 'WRONG_STATE',
        message: `the disk "${name}" is attached to the VM ${decision.by}`,
        remedy: 'Shut that VM down first: a disk has one user at a time.',
        resource,
      };
    case 'other-mode':
      return {
        reason: 'WRONG_STATE',
        message: `the disk "${name}" is attached to this VM in the other mode`,
        remedy: 'Detach it first.',
        ...{ resource, field: 'read_only' },
      };
  }
}

/** The disk is being made or deleted. */
export function notReady({ name, lifecycle }: VdiRecord): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the disk "${name}" is ${lifecycle}`,
    remedy: lifecycle === 'creating' ? 'Wait until it is ready.' : 'Choose another disk.',
    resource: { type: 'vdi', name },
  };
}

/** Another host has the disk. */
export function elsewhere({ name, sr }: VdiRecord): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the disk "${name}" is in the SR ${sr}, which is not one of this host's`,
    remedy: 'Start the VM on the host that has its disks.',
    resource: { type: 'vdi', name },
  };
}

/** The pool has the disk, but its SR has not. */
export function imageMissing({ name, store }: Repository, vdi: VdiId): Failure {
  return {
    reason: 'STORAGE',
    message: `the image of the disk ${vdi} is not in the SR "${name}" (${store.directory})`,
    remedy: 'Restore it from a backup, or delete the disk.',
    resource: { type: 'vdi', name: vdi },
  };
}

/** More calls wait for their turn with a disk than is of use to anybody. */
export function tooManyWait(vdi: VdiId, bound: number): Failure {
  return {
    reason: 'BUSY',
    message: `${bound} calls about the disk ${vdi} wait for one another already`,
    remedy: 'Wait for the calls before, then try again.',
    resource: { type: 'vdi', name: vdi },
  };
}
