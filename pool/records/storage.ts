import * as v from 'valibot';
import {
  BytesSchema,
  EpochSchema,
  HostIdSchema,
  NameSchema,
  OperationIdSchema,
  SrIdSchema,
  TimestampSchema,
  VdiIdSchema,
  VmIdSchema,
} from './identifiers.ts';

/** A storage repository of one host; its storage service registers it. Key: `srs/<id>`. */
export const SrRecordSchema = v.object({
  id: SrIdSchema,
  name: NameSchema,
  type: v.picklist(['file']),
  host: HostIdSchema,
  /** The file system underneath, when it was last looked at. */
  physicalSize: BytesSchema,
  physicalFree: BytesSchema,
});
export type SrRecord = v.InferOutput<typeof SrRecordSchema>;

/** A disk image. Key: `vdis/<id>`. */
export const VdiRecordSchema = v.object({
  id: VdiIdSchema,
  name: NameSchema,
  sr: SrIdSchema,
  /** What the guest sees: a multiple of 512. */
  virtualSize: BytesSchema,
  lifecycle: v.picklist(['creating', 'ready', 'deleting']),
  operation: v.nullable(OperationIdSchema),
  createdAt: TimestampSchema,
});
export type VdiRecord = v.InferOutput<typeof VdiRecordSchema>;

/**
 * Who may use a disk image: the newest claim that attached it. It fences: an attach under an older
 * epoch of the same VM is refused, as is one for another VM while this one stands. It is made and
 * removed by the storage service of the image's host. Key: `attachments/<vdi id>`.
 */
export const AttachmentRecordSchema = v.object({
  vdi: VdiIdSchema,
  vm: VmIdSchema,
  epoch: EpochSchema,
  readOnly: v.boolean(),
});
export type AttachmentRecord = v.InferOutput<typeof AttachmentRecordSchema>;
