import * as v from 'valibot';
import {
  BytesSchema,
  HostIdSchema,
  NameSchema,
  TimestampSchema,
  VmIdSchema,
} from './identifiers.ts';

/** The services of a host, by the names that commands and endpoints use. */
export const serviceNames = [
  'vm-lifecycle',
  'storage',
  'network',
  'xenstore',
  'consensus',
] as const;
export type ServiceName = (typeof serviceNames)[number];

/**
 * A host, as its vm-lifecycle service registered it when it started. Key: `hosts/<id>`. It is up
 * while `host-leases/<id>` exists, which is attached to the lease that the same service renews.
 */
export const HostRecordSchema = v.object({
  id: HostIdSchema,
  name: NameSchema,
  hypervisor: v.picklist(['xen', 'simulated']),
  hypervisorVersion: v.string(),
  cpus: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** What VMs can be given in all. */
  memoryTotal: BytesSchema,
  /** Where its services answer, HOST:PORT by service. */
  endpoints: v.record(v.picklist(serviceNames), v.string()),
  /** When its vm-lifecycle service last started. */
  startedAt: TimestampSchema,
});
export type HostRecord = v.InferOutput<typeof HostRecordSchema>;

/**
 * Memory that a claim holds on a host: from the transaction that claims to the one that lets go.
 * Key: `reservations/<host id>/<vm id>`. Whoever adds one compares `reservation-guards/<host id>`,
 * which every such transaction rewrites, so that two of them cannot both fit into the last space.
 */
export const ReservationSchema = v.object({ memory: BytesSchema });
export type Reservation = v.InferOutput<typeof ReservationSchema>;

/** What `reservation-guards/<host id>` holds: the VM whose reservation was added last. */
export const ReservationGuardSchema = v.object({ vm: VmIdSchema });
export type ReservationGuard = v.InferOutput<typeof ReservationGuardSchema>;

/** What `host-leases/<host id>` holds while the host's lease stands. */
export const HostLeaseSchema = v.object({
  /** When this lease was obtained. */
  since: TimestampSchema,
});
export type HostLease = v.InferOutput<typeof HostLeaseSchema>;
