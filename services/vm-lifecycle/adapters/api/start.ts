import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Bytes } from '../../../../base/units.ts';
import type { Transaction } from '../../../../pool/database.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { Epoch, HostId, VmId } from '../../../../pool/records/identifiers.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import { absent, exists, put, unchanged } from '../../../../pool/transaction.ts';
import type { Input } from '../../../../proto/codec.ts';
import type { Operation } from '../../../../proto/gen/flotilla.pool.v1.ts';
import type { StartVmRequest } from '../../../../proto/gen/flotilla.vm.v1.ts';
import { type Anchor, demand, type PlacementRequest, place } from '../../core/placement.ts';
import { planStart } from '../../core/planner.ts';
import type { Environment } from '../environment.ts';
import { occupying, vmOperation } from '../vm-operation.ts';
import { answerVerb, type Decision } from './answer.ts';
import { type PlacementView, readPlacementView, wantedHost } from './pool-view.ts';
import { judge } from './situation.ts';

/** StartVm: the claim, the reservation and the operation are one transaction. */
export function startVm(
  environment: Environment,
  request: StartVmRequest,
): Promise<Result<Input<Operation>, Failure>> {
  return environment.starts.take(() =>
    answerVerb(environment, request, [], () => decide(environment, request)),
  );
}

async function decide(
  { pool, clock }: Environment,
  request: StartVmRequest,
): Promise<Result<Decision, Failure>> {
  const [wanted, judged, view] = await Promise.all([
    wantedHost(pool, request.host),
    judge(pool, request.vm, 'start'),
    readPlacementView(pool, 0),
  ]);
  if (!wanted.ok) return wanted;
  if (!judged.ok) return judged;
  if (!view.ok) return view;
  const { stored } = judged.value;
  const anchors = await diskAnchors(pool, stored.record);
  if (!anchors.ok) return anchors;
  const wish: PlacementRequest = {
    vm: stored.record.name,
    memory: stored.record.memory,
    vcpus: stored.record.vcpus,
    anchors: anchors.value,
    needsRoom: false,
    wanted: wanted.value,
    purpose: 'start',
  };
  const placed = place(wish, view.value.hosts);
  if (!placed.ok) return fail(placed.error);
  const host = placed.value.id as HostId;
  const epoch = (stored.record.epoch + 1) as Epoch;
  const claimed: VmRecord = { ...stored.record, desired: 'running', host, epoch };
  const operation = vmOperation({
    verb: 'vm.start',
    vm: claimed,
    host,
    steps: planStart(claimed),
    requestId: request.requestId,
    now: clock.wall(),
  });
  return ok({
    operation,
    changes: [
      occupying(pool, stored, claimed, operation),
      reserving(pool, view.value, host, claimed.id, demand(wish, placed.value)),
    ],
  });
}

/**
 * Reserves a VM's memory on a host that is up, provided that nobody reserved any there since the
 * view was read.
 */
function reserving(
  pool: Pool,
  view: PlacementView,
  host: HostId,
  vm: VmId,
  memory: Bytes,
): Transaction {
  const guard = view.guards.get(host);
  const guardKey = pool.reservationGuards.key(host);
  return {
    comparisons: [
      guard === undefined ? absent(guardKey) : unchanged(guard),
      exists(pool.hostLeases.key(host)),
    ],
    writes: [
      put(guardKey, JSON.stringify({ vm })),
      pool.reservations.put(`${host}/${vm}`, { memory }),
    ],
  };
}

/** The disks of a VM, each with the one host that has it. */
async function diskAnchors(pool: Pool, vm: VmRecord): Promise<Result<readonly Anchor[], Failure>> {
  const anchors: Anchor[] = [];
  for (const { vdi, vdev } of vm.disks) {
    const image = await pool.vdis.find(vdi);
    if (!image.ok) return image.error.reason === 'NOT_FOUND' ? fail(diskGone(vm, vdev)) : image;
    const sr = await pool.srs.find(image.value.record.sr);
    if (!sr.ok) return sr;
    anchors.push({
      what: `disk ${image.value.record.name} (SR ${sr.value.record.name})`,
      host: sr.value.record.host,
    });
  }
  return ok(anchors);
}

function diskGone(vm: VmRecord, vdev: string): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the disk image of ${vdev} of vm ${vm.name} does not exist any more`,
    remedy: `Delete the VM and make it again: flotilla vm delete ${vm.name}.`,
    resource: { type: 'vm', name: vm.name },
  };
}
