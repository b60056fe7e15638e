import * as v from 'valibot';
import { AddressSchema, commonFields } from '../../pool/configuration.ts';

/** Where this host's other services answer. */
const ServicesSchema = v.strictObject({
  storage: AddressSchema,
  network: AddressSchema,
  xenstore: v.optional(AddressSchema),
  consensus: v.optional(AddressSchema),
  /** Where this service answers, where others reach it at another address than `listen`. */
  'vm-lifecycle': v.optional(AddressSchema),
});

/** Xen through libxl, or a simulated hypervisor behind its socket. */
export const HypervisorSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('xen') }),
  v.strictObject({ kind: v.literal('simulated'), socket: v.pipe(v.string(), v.minLength(1)) }),
]);

/** What a VM boots that names no kernel; an empty kernel is none. */
const BootSchema = v.strictObject({
  kernel: v.string(),
  ramdisk: v.optional(v.string(), ''),
  commandLine: v.optional(v.string(), ''),
});

const AbsolutePathSchema = v.pipe(v.string(), v.startsWith('/', 'write an absolute path'));

/** A host has one of its processes and one of its guests; each is asked whenever one is looked for. */
const supervisorsMax = 4;

/** The configuration of the vm-lifecycle service: its file's fields, which flags override. */
export const VmLifecycleSchema = v.strictObject({
  ...commonFields,
  hypervisor: HypervisorSchema,
  services: ServicesSchema,
  defaultBoot: v.optional(BootSchema),
  /** The `dataDir` of this host's `flotilla service-guests`: what it measured is told to the pool. */
  serviceGuestsDir: v.optional(AbsolutePathSchema),
  /** The sockets of those who keep this host's services running. Left out: nobody restarts them from afar. */
  supervisors: v.optional(v.pipe(v.array(AbsolutePathSchema), v.maxLength(supervisorsMax)), []),
  /** The pool's name, as `flotilla pool status` shows it. */
  poolName: v.optional(v.pipe(v.string(), v.maxLength(63)), 'pool'),
});
export type VmLifecycleConfiguration = v.InferOutput<typeof VmLifecycleSchema>;
