import { fail, ok } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { controlDomain, type DomainId } from '../../hypervisor/port.ts';
import type { Failure } from '../../pool/failure.ts';
import { newOperation } from '../../pool/operations/record.ts';
import type { Pool } from '../../pool/pool.ts';
import type { HostId, OperationId, Timestamp, VdiId } from '../../pool/records/identifiers.ts';
import { writing } from '../../pool/transaction.ts';
import type {
  AttachedDisk,
  HostStorage,
} from '../../services/vm-lifecycle/adapters/host-storage.ts';

/** A host's storage service as the VM lifecycle sees it, without files. It outlives a kill. */
export interface PretendStorage extends HostStorage {
  readonly attached: Map<VdiId, AttachedDisk>;
  /** Which of them are open. */
  readonly open: Set<VdiId>;
  /** From now on the service runs in this domain. */
  runIn(domain: DomainId): void;
  /** What was open is not any more, as after a restart of the domain that the service runs in. */
  restart(): void;
  /** The next call that attaches fails with this. */
  failNext(failure: Failure): void;
  /** The next calls that detach fail with this, so many of them. */
  failDetach(failure: Failure, times: number): void;
}

/** Makes one whose images and operations are records of the pool. */
export function pretendStorage(pool: Pool, host: HostId): PretendStorage {
  const attached = new Map<VdiId, AttachedDisk>();
  const open = new Set<VdiId>();
  let backend = controlDomain;
  let failure: Failure | null = null;
  const detachFailures: Failure[] = [];
  const ended = async (id: OperationId, vdi: VdiId, verb: string) => {
    const resource = { type: 'vdi', id: vdi, name: vdi };
    const steps = [{ name: verb, description: verb }];
    const now = milliseconds(1);
    const operation = newOperation({ id, verb, resource, service: 'storage', host, steps, now });
    const record = { ...operation, state: 'succeeded' as const, endedAt: 1 as Timestamp };
    await pool.database.transact(writing(pool.operationsOf('storage').put(id, record)));
  };
  return {
    attached,
    open,
    runIn: (domain) => {
      backend = domain;
    },
    restart: () => open.clear(),
    failNext: (next) => {
      failure = next;
    },
    attach: async ({ vdi, vm, epoch }) => {
      const failing = failure;
      failure = null;
      if (failing !== null) return fail(failing);
      const known = attached.get(vdi);
      if (known !== undefined && (known.vm !== vm || known.epoch > epoch)) return fail(stale(vdi));
      attached.set(vdi, { vdi, vm, epoch });
      open.add(vdi);
      const device = backend === controlDomain ? null : `7:${attached.size}`;
      return ok({ path: `/pretend/${vdi}`, device, backend });
    },
    failDetach: (next, times) => {
      for (let time = 0; time < times; time += 1) detachFailures.push(next);
    },
    detach: async ({ vdi, vm, epoch }) => {
      const failing = detachFailures.pop();
      if (failing !== undefined) return fail(failing);
      const known = attached.get(vdi);
      if (known?.vm === vm && known.epoch <= epoch) attached.delete(vdi);
      return ok(undefined);
    },
    attachments: async () => ok([...attached.values()]),
    create: async ({ vdi, name, sr, size }) => {
      const id = vdi as string as OperationId;
      const known = await pool.vdis.get(vdi);
      if (!known.ok) return known;
      if (known.value !== null) return ok(id);
      await pool.database.transact(
        pool.vdis.creating({
          ...{ id: vdi, name, sr, virtualSize: size },
          ...{ lifecycle: 'ready', operation: null, createdAt: 1 as Timestamp },
        }),
      );
      await ended(id, vdi, 'vdi.create');
      return ok(id);
    },
    remove: async (vdi) => {
      const known = await pool.vdis.get(vdi);
      if (!known.ok) return known;
      if (known.value === null) return ok(null);
      const vms = await pool.vms.all();
      if (!vms.ok) return vms;
      if (vms.value.some((vm) => vm.record.disks.some((disk) => disk.vdi === vdi)))
        return fail(inUse(vdi));
      await pool.database.transact(pool.vdis.deleting(known.value));
      const id = vdi.replace(/^./, 'f') as OperationId;
      await ended(id, vdi, 'vdi.delete');
      return ok(id);
    },
  };
}

function stale(vdi: VdiId): Failure {
  return { reason: 'STALE_EPOCH', message: `${vdi} is attached for a newer claim`, remedy: '' };
}

function inUse(vdi: VdiId): Failure {
  return { reason: 'WRONG_STATE', message: `${vdi} is a disk of a VM`, remedy: '' };
}
