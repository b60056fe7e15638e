import { present } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Stored } from '../../../pool/collection.ts';
import { commit } from '../../../pool/commit.ts';
import type { Failure } from '../../../pool/failure.ts';
import { notFound } from '../../../pool/named-collection.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { VdiId } from '../../../pool/records/identifiers.ts';
import type { AttachmentRecord, VdiRecord } from '../../../pool/records/storage.ts';
import { requiring, unchanged } from '../../../pool/transaction.ts';
import { decideAttach } from '../core/fencing.ts';
import type { DiskAccess } from './access/disk-access.ts';
import { elsewhere, notReady, refusal } from './attachment-failures.ts';
import type { Repositories, Repository } from './repositories.ts';

/** Attempts to write an attachment while the records it depends on change. */
const attemptsBound = 8;

/** Where attachments are kept, and how disks are opened. */
export interface AttachmentSettings {
  readonly pool: Pool;
  readonly repositories: Repositories;
  readonly access: DiskAccess;
}

/** A disk of this host. */
export interface Disk {
  readonly vdi: Stored<VdiRecord>;
  readonly repository: Repository;
}

/** Closes a disk whoever has it; one whose image is not there is closed. */
export async function closeDisk(
  access: DiskAccess,
  { vdi, repository }: Disk,
): Promise<Result<void, Failure>> {
  const image = await repository.store.find(vdi.record.id);
  if (!image.ok) return image;
  return image.value === null ? ok(undefined) : access.close(image.value.path);
}

/**
 * Writes down that a claim has a disk, if it may; returns where the disk is. What an older claim of
 * the same VM has open is closed before: while a backend of it still has the device, the newer one
 * waits, and then fails with BUSY.
 */
export async function recordClaim(
  settings: AttachmentSettings,
  request: AttachmentRecord,
): Promise<Result<Repository, Failure>> {
  const { pool, access } = settings;
  for (let attempt = 1; ; attempt += 1) {
    const disk = await diskHere(settings, request.vdi);
    if (!disk.ok) return disk;
    const { vdi, repository } = disk.value;
    if (vdi.record.lifecycle !== 'ready') return fail(notReady(vdi.record));
    const vm = await pool.vmDisks.get(request.vm);
    if (!vm.ok) return vm;
    const attachment = await pool.attachments.get(request.vdi);
    if (!attachment.ok) return attachment;
    const known = {
      attached: attachment.value?.record ?? null,
      newestEpoch: vm.value?.record.epoch ?? null,
    };
    const decision = decideAttach(known, request);
    if (decision.kind === 'already') return ok(repository);
    if (decision.kind !== 'attach') return fail(refusal(decision, vdi.record, request));
    if (attachment.value !== null) {
      const closed = await closeDisk(access, disk.value);
      if (!closed.ok) return closed;
    }
    const written = await commit(
      pool.database,
      requiring(unchanged(vdi), unchanged(present(vm.value, 'a VM with a claim exists'))),
      attachment.value === null
        ? pool.attachments.creating(request.vdi, request)
        : pool.attachments.replacing(attachment.value, request),
    );
    if (written.ok) return ok(repository);
    if (written.error.reason !== 'CONFLICT' || attempt === attemptsBound) return written;
  }
}

/** A disk of this host, by its id; a failure if another host has it, or none. */
export async function diskHere(
  { pool, repositories }: AttachmentSettings,
  id: VdiId,
): Promise<Result<Disk, Failure>> {
  const vdi = await pool.vdis.get(id);
  if (!vdi.ok) return vdi;
  if (vdi.value === null) return fail({ ...notFound('vdi', id), field: 'vdi' });
  const repository = repositories.get(vdi.value.record.sr);
  return repository === undefined
    ? fail(elsewhere(vdi.value.record))
    : ok({ vdi: vdi.value, repository });
}
