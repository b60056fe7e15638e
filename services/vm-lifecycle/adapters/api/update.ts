import { present } from '../../../../base/assert.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Bytes } from '../../../../base/units.ts';
import { commit, nameTaken } from '../../../../pool/commit.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import type { Input } from '../../../../proto/codec.ts';
import type { UpdateVmRequest, Vm } from '../../../../proto/gen/flotilla.vm.v1.ts';
import {
  readUpdateMask,
  type UpdatePath,
  validateBoot,
  validateMemory,
  validateName,
  validateVcpus,
} from '../../core/validation.ts';
import { refuseViolations, type Violation } from '../../core/violation.ts';
import type { Environment } from '../environment.ts';
import { untilNoConflict } from '../vm-change.ts';
import { readVm } from './read.ts';
import { judge } from './situation.ts';

/** UpdateVm: one transaction; what the mask does not name is not looked at. */
export async function updateVm(
  { pool, clock }: Environment,
  request: UpdateVmRequest,
): Promise<Result<Input<Vm>, Failure>> {
  const mask = readUpdateMask(request.updateMask?.paths ?? []);
  if (!mask.ok) return refuse([mask.error]);
  const { update } = request;
  if (update === null)
    return refuse([{ field: 'update', message: 'it is missing; give the new values' }]);
  const renameOnly = mask.value.size === 1 && mask.value.has('name');
  return untilNoConflict(clock, async () => {
    const judged = await judge(pool, request.vm, renameOnly ? 'rename' : 'change');
    if (!judged.ok) return judged;
    const { stored } = judged.value;
    const changed = apply(stored.record, update, mask.value);
    const violations = violationsOf(changed, mask.value);
    if (violations.length > 0) return refuse(violations);
    if (request.validateOnly) {
      const free = await nameIsFree(pool, stored.record, changed.name);
      return free.ok ? readVm(pool, stored.record.id) : free;
    }
    const committed = await commit(pool.database, pool.vms.replacing(stored, changed));
    return committed.ok ? readVm(pool, stored.record.id) : committed;
  });
}

/** Of the record as it would be: a RAM disk needs a kernel, whichever of them the mask names. */
function violationsOf(vm: VmRecord, mask: ReadonlySet<UpdatePath>): readonly Violation[] {
  const changesBoot = [...mask].some((path) => path.startsWith('boot'));
  return [
    ...(mask.has('name') ? validateName('update.name', vm.name) : []),
    ...(mask.has('memory') ? validateMemory('update.memory', vm.memory) : []),
    ...(mask.has('vcpus') ? validateVcpus('update.vcpus', vm.vcpus) : []),
    ...(changesBoot ? validateBoot('update.boot', vm) : []),
  ];
}

function refuse(violations: readonly Violation[]): Result<never, Failure> {
  return fail(present(refuseViolations(violations), 'violations are refused'));
}

function apply(vm: VmRecord, update: Vm, mask: ReadonlySet<UpdatePath>): VmRecord {
  const boot = update.boot ?? { kernel: '', ramdisk: '', commandLine: '' };
  const takes = (path: UpdatePath) => mask.has('boot') || mask.has(path);
  return {
    ...vm,
    name: mask.has('name') ? update.name : vm.name,
    memory: mask.has('memory') ? (update.memory as Bytes) : vm.memory,
    vcpus: mask.has('vcpus') ? update.vcpus : vm.vcpus,
    kernel: takes('boot.kernel') ? boot.kernel : vm.kernel,
    ramdisk: takes('boot.ramdisk') ? boot.ramdisk : vm.ramdisk,
    commandLine: takes('boot.command_line') ? boot.commandLine : vm.commandLine,
  };
}

async function nameIsFree(pool: Pool, vm: VmRecord, name: string): Promise<Result<void, Failure>> {
  if (name === vm.name) return ok(undefined);
  const other = await pool.vms.find(name);
  if (other.ok) return fail(nameTaken('vm', name));
  return other.error.reason === 'NOT_FOUND' ? ok(undefined) : other;
}
