import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { VdiRecord } from '../../../pool/records/storage.ts';

/**
 * Refuses (WRONG_STATE) while a VM has a VDI attached, or its record names it. It reads what is
 * told of every VM of the pool, a page at a time.
 */
export async function checkUnused(pool: Pool, vdi: VdiRecord): Promise<Result<void, Failure>> {
  const attachment = await pool.attachments.get(vdi.id);
  if (!attachment.ok) return attachment;
  if (attachment.value !== null)
    return fail(inUse(vdi, `is attached to the VM ${attachment.value.record.vm}`));
  const vms = await pool.vmDisks.all();
  if (!vms.ok) return vms;
  const user = vms.value.find(({ record }) => record.vdis.includes(vdi.id));
  return user === undefined
    ? ok(undefined)
    : fail(inUse(vdi, `is a disk of the VM "${user.record.name}"`));
}

function inUse(vdi: VdiRecord, why: string): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the disk "${vdi.name}" ${why}`,
    remedy: 'Delete the VM first, or take the disk from it.',
    resource: { type: 'vdi', name: vdi.name },
  };
}
