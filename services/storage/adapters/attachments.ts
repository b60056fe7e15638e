import { present } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Stored } from '../../../pool/collection.ts';
import { commit } from '../../../pool/commit.ts';
import type { Failure } from '../../../pool/failure.ts';
import { notFound } from '../../../pool/named-collection.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { Epoch, VdiId, VmId } from '../../../pool/records/identifiers.ts';
import type { AttachmentRecord, VdiRecord } from '../../../pool/records/storage.ts';
import { requiring, unchanged } from '../../../pool/transaction.ts';
import { decideAttach, decideDetach, type Refusal } from '../core/fencing.ts';
import type { DiskAccess } from './access/disk-access.ts';
import type { Repositories, Repository } from './repositories.ts';
import { turns } from './turns.ts';

/** Attempts to write an attachment while the records it depends on change. */
const attemptsBound = 8;

/** What a claim has, and what a backend opens for it; empty while nothing is open. */
export interface Attached {
  readonly record: AttachmentRecord;
  readonly path: string;
}

/** What a claim that lets go of a disk says of itself. */
export type Detachment = Omit<AttachmentRecord, 'readOnly'>;

/** The attachments of this host's disks. */
export interface Attachments {
  attach(request: AttachmentRecord): Promise<Result<Attached, Failure>>;
  detach(request: Detachment): Promise<Result<void, Failure>>;
  list(): Promise<Result<readonly Attached[], Failure>>;
}

/** Where attachments are kept, and how disks are opened. */
export interface AttachmentSettings {
  readonly pool: Pool;
  readonly repositories: Repositories;
  readonly access: DiskAccess;
}

/**
 * Gives disks to claims. The record in the pool database comes first and goes last: whatever is lost
 * in between, a disk is never open for a claim that the record does not name.
 */
export function attachmentsOf(settings: AttachmentSettings): Attachments {
  const { pool, repositories, access } = settings;
  const byDisk = turns();

  const attach = async (request: AttachmentRecord): Promise<Result<Attached, Failure>> => {
    const repository = await recordClaim(settings, request);
    if (!repository.ok) return repository;
    const image = await repository.value.store.find(request.vdi);
    if (!image.ok) return image;
    if (image.value === null) return fail(imageMissing(repository.value, request.vdi));
    const path = await access.open(image.value.path, request.readOnly);
    return path.ok ? ok({ record: request, path: path.value }) : path;
  };

  const detach = async (request: Detachment): Promise<Result<void, Failure>> => {
    const attachment = await pool.attachments.get(request.vdi);
    if (!attachment.ok) return attachment;
    if (attachment.value === null) return ok(undefined);
    if (decideDetach(attachment.value.record, request) === 'nothing') return ok(undefined);
    const disk = await diskHere(settings, request.vdi);
    if (!disk.ok) return disk;
    const closed = await close(disk.value.repository, access, request.vdi);
    if (!closed.ok) return closed;
    const written = await commit(pool.database, pool.attachments.deleting(attachment.value));
    return written.ok ? ok(undefined) : written;
  };

  return {
    attach: (request) => byDisk.take(request.vdi, () => attach(request)),
    detach: (request) => byDisk.take(request.vdi, () => detach(request)),
    list: async () => {
      const attachments = await pool.attachments.all();
      if (!attachments.ok) return attachments;
      const records = new Map(attachments.value.map(({ record }) => [record.vdi, record]));
      const attached: Attached[] = [];
      for (const { store } of repositories.values()) {
        const images = await store.list();
        if (!images.ok) return images;
        const open = await access.list(store.directory);
        if (!open.ok) return open;
        const devices = new Map(open.value?.map(({ image, device }) => [image, device]));
        for (const { id, path } of images.value) {
          const record = records.get(id);
          if (record === undefined) continue;
          const device = open.value === null ? path : (devices.get(path) ?? '');
          attached.push({ record, path: device });
        }
      }
      return ok(attached);
    },
  };
}

/** Closes an image whoever has it; one that is not there is closed. */
async function close(
  { store }: Repository,
  access: DiskAccess,
  vdi: VdiId,
): Promise<Result<void, Failure>> {
  const image = await store.find(vdi);
  if (!image.ok) return image;
  return image.value === null ? ok(undefined) : access.close(image.value.path);
}

/** Writes down that a claim has a disk, if it may; returns where the disk is. */
async function recordClaim(
  settings: AttachmentSettings,
  request: AttachmentRecord,
): Promise<Result<Repository, Failure>> {
  const { pool } = settings;
  for (let attempt = 1; ; attempt += 1) {
    const disk = await diskHere(settings, request.vdi);
    if (!disk.ok) return disk;
    const { vdi, repository } = disk.value;
    if (vdi.record.lifecycle !== 'ready') return fail(notReady(vdi.record));
    const vm = await pool.vms.get(request.vm);
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

async function diskHere(
  { pool, repositories }: AttachmentSettings,
  id: VdiId,
): Promise<Result<{ vdi: Stored<VdiRecord>; repository: Repository }, Failure>> {
  const vdi = await pool.vdis.get(id);
  if (!vdi.ok) return vdi;
  if (vdi.value === null) return fail({ ...notFound('vdi', id), field: 'vdi' });
  const repository = repositories.get(vdi.value.record.sr);
  return repository === undefined
    ? fail(elsewhere(vdi.value.record))
    : ok({ vdi: vdi.value, repository });
}

function refusal(
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

function notReady({ name, lifecycle }: VdiRecord): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the disk "${name}" is ${lifecycle}`,
    remedy: lifecycle === 'creating' ? 'Wait until it is ready.' : 'Choose another disk.',
    resource: { type: 'vdi', name },
  };
}

function elsewhere({ name, sr }: VdiRecord): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the disk "${name}" is in the SR ${sr}, which is not one of this host's`,
    remedy: 'Start the VM on the host that has its disks.',
    resource: { type: 'vdi', name },
  };
}

function imageMissing({ name, store }: Repository, vdi: VdiId): Failure {
  return {
    reason: 'STORAGE',
    message: `the image of the disk ${vdi} is not in the SR "${name}" (${store.directory})`,
    remedy: 'Restore it from a backup, or delete the disk.',
    resource: { type: 'vdi', name: vdi },
  };
}
