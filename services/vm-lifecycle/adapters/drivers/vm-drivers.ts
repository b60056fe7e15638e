import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Stored } from '../../../../pool/collection.ts';
import type { Transaction } from '../../../../pool/database.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Epoch, Timestamp, VmId } from '../../../../pool/records/identifiers.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import { requiring, together, unchanged, writing } from '../../../../pool/transaction.ts';
import { requireDomain } from '../domains.ts';
import type { Environment } from '../environment.ts';
import { staleClaim } from '../failures.ts';
import { changeVm } from '../vm-change.ts';
import { stepDriver } from './step-driver.ts';
import { stepSchemas } from './step-schemas.ts';

/** The steps that change nothing but the pool's records of a VM. */
export function vmDrivers(environment: Environment) {
  const { pool, host, clock } = environment;
  return {
    'vm.publish': stepDriver(stepSchemas['vm.publish'], {
      do: async ({ vm, disks }) => {
        const changed = await changeVm(environment, vm, (stored) => {
          if (stored === null) return fail(vmGone(vm));
          return ok(pool.vms.replacing(stored, { ...stored.record, disks, lifecycle: 'ready' }));
        });
        return changed.ok ? ok({}) : changed;
      },
    }),

    'vm.drop-disks': stepDriver(stepSchemas['vm.drop-disks'], {
      do: async ({ vm }) => {
        const changed = await changeVm(environment, vm, (stored) => {
          if (stored === null) return ok(null);
          const disks = stored.record.disks.filter((disk) => !disk.owned);
          const retired = { ...stored.record, disks, lifecycle: 'deleting' as const };
          return ok(pool.vms.replacing(stored, retired));
        });
        return changed.ok ? ok({}) : changed;
      },
    }),

    'vm.remove': stepDriver(stepSchemas['vm.remove'], {
      do: async ({ vm }) => {
        const changed = await changeVm(environment, vm, (stored) => {
          if (stored === null) return ok(null);
          return ok(together(pool.vms.deleting(stored), writing(pool.vmStatuses.remove(vm))));
        });
        return changed.ok ? ok({}) : changed;
      },
    }),

    'vm.claim': stepDriver(stepSchemas['vm.claim'], {
      do: async ({ vm, epoch }) => {
        const current = await checkClaim(environment, vm, epoch);
        return current.ok ? ok({}) : current;
      },
      undo: ({ vm, epoch }, { operation }) => {
        const { failure } = operation;
        const detail = failure === null || failure.reason === 'CANCELLED' ? '' : failure.message;
        return releaseClaim(environment, vm, epoch, detail);
      },
    }),

    'vm.running': stepDriver(stepSchemas['vm.running'], {
      do: async ({ vm, epoch }) => {
        const domain = await requireDomain(environment, vm);
        if (!domain.ok) return domain;
        const changed = await changeVm(environment, vm, (stored) => {
          if (stored === null || stored.record.epoch !== epoch)
            return fail(staleClaim(host.name, vm, epoch));
          const status = pool.vmStatuses.put(vm, {
            vm,
            host: host.id,
            epoch,
            powerState: 'running',
            domid: domain.value.id,
            startedAt: clock.wall() as number as Timestamp,
            detail: '',
          });
          return ok(together(requiring(unchanged(stored)), writing(status)));
        });
        return changed.ok ? ok({ domid: domain.value.id }) : changed;
      },
    }),

    'vm.release': stepDriver(stepSchemas['vm.release'], {
      do: async ({ vm, epoch, detail }) => {
        const released = await releaseClaim(environment, vm, epoch, detail);
        return released.ok ? ok({}) : released;
      },
    }),
  };
}

/** Succeeds while this host's claim of this epoch is the newest of the VM. */
export async function checkClaim(
  { pool, host }: Environment,
  vm: VmId,
  epoch: Epoch,
): Promise<Result<void, Failure>> {
  const stored = await pool.vms.get(vm);
  if (!stored.ok) return stored;
  const record = stored.value?.record;
  return record?.host === host.id && record.epoch === epoch
    ? ok(undefined)
    : fail(staleClaim(host.name, vm, epoch));
}

/** Lets go of a claim. Where a newer claim exists there is nothing left to let go of. */
async function releaseClaim(
  environment: Environment,
  vm: VmId,
  epoch: Epoch,
  detail: string,
): Promise<Result<void, Failure>> {
  const { host, consoles } = environment;
  const released = await changeVm(environment, vm, (stored) => {
    const isCurrent = stored?.record.host === host.id && stored.record.epoch === epoch;
    return ok(isCurrent ? releasing(environment, stored, stored.record, detail) : null);
  });
  if (released.ok) consoles.close(vm);
  return released;
}

/**
 * The transaction that lets go of the claim of a VM's record, and writes the record otherwise as
 * `record`: it is wanted halted, is reported halted, and its memory is free.
 */
export function releasing(
  { pool, host }: Environment,
  stored: Stored<VmRecord>,
  record: VmRecord,
  detail: string,
): Transaction {
  const { id: vm, epoch } = record;
  const status = {
    vm,
    host: host.id,
    epoch,
    powerState: 'halted',
    domid: 0,
    startedAt: null,
  } as const;
  return together(
    pool.vms.replacing(stored, { ...record, desired: 'halted' }),
    writing(
      pool.reservations.remove(`${host.id}/${vm}`),
      pool.vmStatuses.put(vm, { ...status, detail }),
    ),
  );
}

function vmGone(vm: VmId): Failure {
  return {
    reason: 'NOT_FOUND',
    message: 'the record of the VM was removed while the VM was being made',
    remedy: 'Make the VM again.',
    resource: { type: 'vm', name: vm },
  };
}
