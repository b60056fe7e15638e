import * as v from 'valibot';
import { type Collection, collection } from './collection.ts';
import type { PoolDatabase } from './database.ts';
import { type Measurement, MeasurementSchema } from './images/measurement.ts';
import { operationsPrefix, prefixes, requestsPrefix } from './keys.ts';
import { type NamedCollection, namedCollection } from './named-collection.ts';
import { type EventRecord, EventRecordSchema } from './records/event.ts';
import {
  type HostLease,
  HostLeaseSchema,
  type HostRecord,
  HostRecordSchema,
  type Reservation,
  type ReservationGuard,
  ReservationGuardSchema,
  ReservationSchema,
  type ServiceName,
} from './records/host.ts';
import {
  type ImageKeyRecord,
  ImageKeyRecordSchema,
  type ImageRecord,
  ImageRecordSchema,
} from './records/image.ts';
import { type MeasurementHead, MeasurementHeadSchema } from './records/measurement.ts';
import { type NetworkRecord, NetworkRecordSchema } from './records/network.ts';
import { type OperationRecord, OperationRecordSchema } from './records/operation.ts';
import {
  type AttachmentRecord,
  AttachmentRecordSchema,
  type SrRecord,
  SrRecordSchema,
  type VdiRecord,
  VdiRecordSchema,
} from './records/storage.ts';
import {
  type VmDisks,
  VmDisksSchema,
  type VmNics,
  VmNicsSchema,
  type VmRecord,
  VmRecordSchema,
  type VmStatus,
  VmStatusSchema,
} from './records/vm.ts';
import { vmCollection } from './vm-collection.ts';

/** All that the pool keeps, by kind. */
export interface Pool {
  readonly database: PoolDatabase;
  readonly vms: NamedCollection<VmRecord>;
  /** By the VM's id. */
  readonly vmStatuses: Collection<VmStatus>;
  /** What other services may know of a VM, by its id: `vms` keeps them in step with the records. */
  readonly vmNics: Collection<VmNics>;
  readonly vmDisks: Collection<VmDisks>;
  readonly hosts: NamedCollection<HostRecord>;
  /** By the host's id, each under that host's lease. */
  readonly hostLeases: Collection<HostLease>;
  /** By `<host id>/<vm id>`; `reservations.all(hostId + '/')` are those of one host. */
  readonly reservations: Collection<Reservation>;
  /** By the host's id. */
  readonly reservationGuards: Collection<ReservationGuard>;
  readonly srs: NamedCollection<SrRecord>;
  readonly vdis: NamedCollection<VdiRecord>;
  /** By the VDI's id. */
  readonly attachments: Collection<AttachmentRecord>;
  readonly networks: NamedCollection<NetworkRecord>;
  /** By `imageId`. */
  readonly images: Collection<ImageRecord>;
  /** By the key's id. */
  readonly imageKeys: Collection<ImageKeyRecord>;
  /** By `measurementId`. */
  readonly measurements: Collection<Measurement>;
  /** By the host's id. */
  readonly measurementHeads: Collection<MeasurementHead>;
  /** All operations, whoever runs them. */
  readonly operations: Pick<Collection<OperationRecord>, 'prefix' | 'idOf' | 'decode' | 'all'>;
  /** Those that one service runs, by the operation's id: no other service's are in its reach. */
  operationsOf(service: ServiceName): Collection<OperationRecord>;
  /** By `<milliseconds, 15 digits>-<id>`. */
  readonly events: Collection<EventRecord>;
  /** By the id of a request to one service: the id of the operation that it started. */
  requestsOf(service: ServiceName): Collection<string>;
}

/** Typed access to a pool database. */
export function openPool(database: PoolDatabase): Pool {
  const vmNics = collection(database, 'vm', prefixes.vmNics, VmNicsSchema);
  const vmDisks = collection(database, 'vm', prefixes.vmDisks, VmDisksSchema);
  const vmRecords = collection(database, 'vm', prefixes.vms, VmRecordSchema);
  return {
    database,
    vms: vmCollection(namedCollection(database, 'vm', vmRecords), { vmNics, vmDisks }),
    vmNics,
    vmDisks,
    vmStatuses: collection(database, 'vm status', prefixes.vmStatuses, VmStatusSchema),
    hosts: namedCollection(
      database,
      'host',
      collection(database, 'host', prefixes.hosts, HostRecordSchema),
    ),
    hostLeases: collection(database, 'host lease', prefixes.hostLeases, HostLeaseSchema),
    reservations: collection(database, 'reservation', prefixes.reservations, ReservationSchema),
    reservationGuards: collection(
      database,
      'reservation guard',
      prefixes.reservationGuards,
      ReservationGuardSchema,
    ),
    srs: namedCollection(database, 'sr', collection(database, 'sr', prefixes.srs, SrRecordSchema)),
    vdis: namedCollection(
      database,
      'vdi',
      collection(database, 'vdi', prefixes.vdis, VdiRecordSchema),
    ),
    attachments: collection(database, 'attachment', prefixes.attachments, AttachmentRecordSchema),
    networks: namedCollection(
      database,
      'network',
      collection(database, 'network', prefixes.networks, NetworkRecordSchema),
    ),
    images: collection(database, 'image', prefixes.images, ImageRecordSchema),
    imageKeys: collection(database, 'image key', prefixes.imageKeys, ImageKeyRecordSchema),
    measurements: collection(database, 'measurement', prefixes.measurements, MeasurementSchema),
    measurementHeads: collection(
      database,
      'measurement head',
      prefixes.measurementHeads,
      MeasurementHeadSchema,
    ),
    operations: collection(database, 'operation', prefixes.operations, OperationRecordSchema),
    events: collection(database, 'event', prefixes.events, EventRecordSchema),
    operationsOf: (service) =>
      collection(database, 'operation', operationsPrefix(service), OperationRecordSchema),
    requestsOf: (service) => collection(database, 'request', requestsPrefix(service), v.string()),
  };
}
