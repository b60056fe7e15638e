import * as v from 'valibot';
import { bounds } from '../../base/bounds.ts';
import {
  BytesSchema,
  EpochSchema,
  HostIdSchema,
  NameSchema,
  NetworkIdSchema,
  OperationIdSchema,
  TimestampSchema,
  VdiIdSchema,
  VmIdSchema,
} from './identifiers.ts';

/** A disk of a VM. `owned`: it was made with the VM and goes with it. */
export const VmDiskSchema = v.object({
  vdi: VdiIdSchema,
  vdev: v.pipe(v.string(), v.regex(/^xvd[a-p]$/)),
  readOnly: v.boolean(),
  owned: v.boolean(),
});
export type VmDisk = v.InferOutput<typeof VmDiskSchema>;

/** A network interface of a VM; its place in the list is its index on the guest's bus. */
export const VmNicSchema = v.object({
  network: NetworkIdSchema,
  mac: v.pipe(v.string(), v.regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)),
});
export type VmNic = v.InferOutput<typeof VmNicSchema>;

/**
 * What the pool wants of a VM: written by whoever answers the API, in one transaction with the
 * operation that is to bring it about. Key: `vms/<id>`.
 */
export const VmRecordSchema = v.object({
  id: VmIdSchema,
  name: NameSchema,
  type: v.picklist(['pv', 'pvh']),
  memory: BytesSchema,
  vcpus: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(bounds.vmVcpus)),
  /** Paths on the host that starts it; empty: the host's default. */
  kernel: v.string(),
  ramdisk: v.string(),
  commandLine: v.pipe(v.string(), v.maxLength(bounds.kernelCommandLine)),
  disks: v.pipe(v.array(VmDiskSchema), v.maxLength(bounds.vmDisks)),
  nics: v.pipe(v.array(VmNicSchema), v.maxLength(bounds.vmNics)),
  /** A VM that is still being made, or being deleted, cannot be started. */
  lifecycle: v.picklist(['creating', 'ready', 'deleting']),
  /** What is wanted; `host` and `epoch` are of the last claim, and stay when the VM is halted. */
  desired: v.picklist(['halted', 'running']),
  host: v.nullable(HostIdSchema),
  epoch: EpochSchema,
  /** The operation under way: there is at most one. */
  operation: v.nullable(OperationIdSchema),
  createdAt: TimestampSchema,
});
export type VmRecord = v.InferOutput<typeof VmRecordSchema>;

/**
 * What the network service is to know of a VM. It may not read the VM's record, so that whoever
 * takes it over learns no more than this. Key: `vm-nics/<id>`, kept in step with `vms/<id>`.
 */
export const VmNicsSchema = v.object({
  name: NameSchema,
  epoch: EpochSchema,
  networks: v.pipe(v.array(NetworkIdSchema), v.maxLength(bounds.vmNics)),
});
export type VmNics = v.InferOutput<typeof VmNicsSchema>;

/** The same for the storage service. Key: `vm-disks/<id>`, kept in step with `vms/<id>`. */
export const VmDisksSchema = v.object({
  name: NameSchema,
  epoch: EpochSchema,
  vdis: v.pipe(v.array(VdiIdSchema), v.maxLength(bounds.vmDisks)),
});
export type VmDisks = v.InferOutput<typeof VmDisksSchema>;

/**
 * What a VM is: written only by the vm-lifecycle service of the host that claimed it. A status of an
 * older epoch than the record's counts for nothing. Key: `vm-status/<id>`.
 */
export const VmStatusSchema = v.object({
  vm: VmIdSchema,
  host: HostIdSchema,
  epoch: EpochSchema,
  powerState: v.picklist(['halted', 'running', 'paused']),
  /** Xen's number of the domain; 0 while there is none. */
  domid: v.pipe(v.number(), v.integer(), v.minValue(0)),
  startedAt: v.nullable(TimestampSchema),
  /** A sentence where the power state alone would puzzle: "the guest crashed". */
  detail: v.string(),
});
export type VmStatus = v.InferOutput<typeof VmStatusSchema>;
