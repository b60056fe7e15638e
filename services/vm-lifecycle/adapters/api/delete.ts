import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';
import type { Input } from '../../../../proto/codec.ts';
import type { Operation } from '../../../../proto/gen/flotilla.pool.v1.ts';
import type { DeleteVmRequest } from '../../../../proto/gen/flotilla.vm.v1.ts';
import { planDelete } from '../../core/planner.ts';
import type { Environment } from '../environment.ts';
import { occupying, vmOperation } from '../vm-operation.ts';
import { answerVerb } from './answer.ts';
import { judge, readHost } from './situation.ts';

/**
 * DeleteVm: any host can do it, since the storage service of any host deletes a disk image on the
 * host that has it; this one does. Hosts of disks that are down are told of before anything is
 * deleted.
 */
export function deleteVm(
  environment: Environment,
  request: DeleteVmRequest,
): Promise<Result<Input<Operation>, Failure>> {
  const { pool, clock, host } = environment;
  return answerVerb(environment, request, [], async () => {
    const judged = await judge(pool, request.vm, 'delete');
    if (!judged.ok) return judged;
    const { stored } = judged.value;
    for (const { vdi, owned } of stored.record.disks) {
      if (!owned) continue;
      const image = await pool.vdis.find(vdi);
      if (!image.ok && image.error.reason === 'NOT_FOUND') continue;
      if (!image.ok) return image;
      const sr = await pool.srs.find(image.value.record.sr);
      if (!sr.ok) return sr;
      const owner = await readHost(pool, sr.value.record.host as HostId);
      if (!owner.ok) return owner;
      if (!owner.value.up)
        return fail(diskHostDown(stored.record.name, image.value.record.name, owner.value.name));
    }
    const operation = vmOperation({
      verb: 'vm.delete',
      vm: stored.record,
      host: host.id,
      steps: planDelete(stored.record),
      requestId: request.requestId,
      now: clock.wall(),
    });
    return ok({
      operation,
      changes: [occupying(pool, stored, {}, operation)],
    });
  });
}

function diskHostDown(vm: string, disk: string, host: string): Failure {
  return {
    reason: 'HOST_UNREACHABLE',
    message: `vm ${vm} has disk ${disk} on ${host}, which is down`,
    remedy: `Bring ${host} back first: flotilla host show ${host}.`,
    resource: { type: 'vm', name: vm },
  };
}
