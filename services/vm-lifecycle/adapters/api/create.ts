import { randomUUID } from 'node:crypto';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Bytes } from '../../../../base/units.ts';
import { nameTaken } from '../../../../pool/commit.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Epoch, HostId, Timestamp, VmId } from '../../../../pool/records/identifiers.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import { exists, requiring, unchanged } from '../../../../pool/transaction.ts';
import type { Input } from '../../../../proto/codec.ts';
import type { Operation } from '../../../../proto/gen/flotilla.pool.v1.ts';
import type { CreateVmRequest, DomainType, Vm } from '../../../../proto/gen/flotilla.vm.v1.ts';
import { place } from '../../core/placement.ts';
import { planCreate } from '../../core/planner.ts';
import { validateDraft } from '../../core/validation.ts';
import type { Environment } from '../environment.ts';
import { vmOperation } from '../vm-operation.ts';
import { answerVerb, type Decision } from './answer.ts';
import { locateNew, resolveDisks } from './create-disks.ts';
import { resolveNics } from './create-nics.ts';
import { readPlacementView, wantedHost } from './pool-view.ts';

const types: Readonly<Record<DomainType, VmRecord['type']>> = {
  DOMAIN_TYPE_UNSPECIFIED: 'pvh',
  DOMAIN_TYPE_PVH: 'pvh',
  DOMAIN_TYPE_PV: 'pv',
};

/** CreateVm: everything that the request names must exist still when the VM is recorded. */
export async function createVm(
  environment: Environment,
  request: CreateVmRequest,
): Promise<Result<Input<Operation>, Failure>> {
  const { vm } = request;
  if (vm === null) return fail(noVm);
  return answerVerb(environment, request, validateDraft(vm), () =>
    decide(environment, request, vm),
  );
}

async function decide(
  { pool, clock }: Environment,
  request: CreateVmRequest,
  vm: Vm,
): Promise<Result<Decision, Failure>> {
  const other = await pool.vms.find(vm.name);
  if (other.ok) return fail({ ...nameTaken('vm', vm.name), field: 'vm.name' });
  if (other.error.reason !== 'NOT_FOUND') return other;
  const wanted = await wantedHost(pool, request.host);
  if (!wanted.ok) return wanted;
  const nics = await resolveNics(pool, vm.nics);
  if (!nics.ok) return nics;
  const disks = await resolveDisks(pool, vm.name, vm.disks);
  if (!disks.ok) return disks;
  const floating = disks.value.filter((disk) => disk.kind === 'floating');
  const view = await readPlacementView(pool, Math.max(0, ...floating.map((disk) => disk.size)));
  if (!view.ok) return view;
  const placed = place(
    {
      vm: vm.name,
      memory: vm.memory as Bytes,
      vcpus: vm.vcpus,
      anchors: disks.value.flatMap((disk) => (disk.kind === 'floating' ? [] : [disk.anchor])),
      needsRoom: floating.length > 0,
      wanted: wanted.value,
      purpose: 'create',
    },
    view.value.hosts,
  );
  if (!placed.ok) return fail(placed.error);
  const host = placed.value.id as HostId;
  const located = locateNew(disks.value, view.value.srs, host);
  if (!located.ok) return located;
  const draft: VmRecord = {
    id: randomUUID() as string as VmId,
    name: vm.name,
    type: types[vm.type],
    memory: vm.memory as Bytes,
    vcpus: vm.vcpus,
    kernel: vm.boot?.kernel ?? '',
    ramdisk: vm.boot?.ramdisk ?? '',
    commandLine: vm.boot?.commandLine ?? '',
    disks: located.value.disks,
    nics: nics.value,
    lifecycle: 'creating',
    desired: 'halted',
    host: null,
    epoch: 0 as Epoch,
    operation: null,
    createdAt: clock.wall() as number as Timestamp,
  };
  const operation = vmOperation({
    verb: 'vm.create',
    vm: draft,
    host,
    steps: planCreate(draft, located.value.newDisks),
    requestId: request.requestId,
    now: clock.wall(),
  });
  const existing = draft.disks.filter((disk) => !disk.owned);
  return ok({
    operation,
    changes: [
      pool.vms.creating({ ...draft, disks: existing, operation: operation.id }),
      requiring(
        ...[...new Set(draft.nics.map((nic) => pool.networks.key(nic.network)))].map(exists),
        // Compared as read, not only as there: a disk whose deletion has begun is not given out.
        ...disks.value.flatMap((disk) => (disk.kind === 'existing' ? [unchanged(disk.read)] : [])),
        ...[...new Set(located.value.newDisks.map((disk) => pool.srs.key(disk.sr)))].map(exists),
      ),
    ],
  });
}

const noVm: Failure = {
  reason: 'INVALID_FIELD',
  message: 'vm: it is missing; say what to make',
  remedy: 'Correct the request; nothing was changed.',
  field: 'vm',
};
