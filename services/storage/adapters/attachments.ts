import { fail, ok, type Result } from '../../../base/result.ts';
import { turns } from '../../../base/turns.ts';
import { commit } from '../../../pool/commit.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { VdiId } from '../../../pool/records/identifiers.ts';
import type { AttachmentRecord } from '../../../pool/records/storage.ts';
import { decideDetach } from '../core/fencing.ts';
import { imageMissing, tooManyWait } from './attachment-failures.ts';
import { type AttachmentSettings, closeDisk, diskHere, recordClaim } from './claimed-disks.ts';

/** Calls about one disk that may wait: asking more often than this helps nobody. */
const waitingBound = 16;

/** What a claim has, and what a backend opens for it; empty while nothing is open. */
export interface Attached {
  readonly record: AttachmentRecord;
  readonly path: string;
  /** The block device's number in this domain, `7:3`; empty where it is none, or is not asked for. */
  readonly device: string;
}

/** What a claim that lets go of a disk says of itself. */
export type Detachment = Omit<AttachmentRecord, 'readOnly'>;

/** The attachments of this host's disks. */
export interface Attachments {
  attach(request: AttachmentRecord): Promise<Result<Attached, Failure>>;
  detach(request: Detachment): Promise<Result<void, Failure>>;
  list(): Promise<Result<readonly Attached[], Failure>>;
}

/**
 * Gives disks to claims. The record in the pool database comes first and goes last: whatever is lost
 * in between, a disk is never open for a claim that the record does not name.
 */
export function attachmentsOf(settings: AttachmentSettings): Attachments {
  const { pool, repositories, access } = settings;
  const byDisk = turns(waitingBound);
  const inTurn = async <Value>(
    vdi: VdiId,
    work: () => Promise<Result<Value, Failure>>,
  ): Promise<Result<Value, Failure>> =>
    (await byDisk.take(vdi, work)) ?? fail(tooManyWait(vdi, waitingBound));

  const attach = async (request: AttachmentRecord): Promise<Result<Attached, Failure>> => {
    const repository = await recordClaim(settings, request);
    if (!repository.ok) return repository;
    const image = await repository.value.store.find(request.vdi);
    if (!image.ok) return image;
    if (image.value === null) return fail(imageMissing(repository.value, request.vdi));
    const opened = await access.open(image.value.path, request.readOnly);
    return opened.ok ? ok({ record: request, ...opened.value }) : opened;
  };

  const detach = async (request: Detachment): Promise<Result<void, Failure>> => {
    const attachment = await pool.attachments.get(request.vdi);
    if (!attachment.ok) return attachment;
    if (attachment.value === null) return ok(undefined);
    if (decideDetach(attachment.value.record, request) === 'nothing') return ok(undefined);
    const disk = await diskHere(settings, request.vdi);
    if (!disk.ok) return disk;
    const closed = await closeDisk(access, disk.value);
    if (!closed.ok) return closed;
    const written = await commit(pool.database, pool.attachments.deleting(attachment.value));
    return written.ok ? ok(undefined) : written;
  };

  return {
    attach: (request) => inTurn(request.vdi, () => attach(request)),
    detach: (request) => inTurn(request.vdi, () => detach(request)),
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
          const shown = open.value === null ? path : (devices.get(path) ?? '');
          attached.push({ record, path: shown, device: '' });
        }
      }
      return ok(attached);
    },
  };
}
