import * as v from 'valibot';
import { bounds } from '../../base/bounds.ts';
import type { Brand } from '../../base/brand.ts';
import type { Bytes } from '../../base/units.ts';

/** Ids of records: UUIDs in their 36-character form, in lower case, chosen once and never reused. */
export type HostId = Brand<string, 'HostId'>;
export type VmId = Brand<string, 'VmId'>;
export type SrId = Brand<string, 'SrId'>;
export type VdiId = Brand<string, 'VdiId'>;
export type NetworkId = Brand<string, 'NetworkId'>;
export type OperationId = Brand<string, 'OperationId'>;

/** Raised by one whenever a host claims a VM: of two claims, the one with the higher epoch counts. */
export type Epoch = Brand<number, 'Epoch'>;

/** A moment in milliseconds since 1970 (UTC), by the clock of the host that wrote it. For people. */
export type Timestamp = Brand<number, 'Timestamp'>;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function idSchema<Id extends string>() {
  return v.pipe(
    v.string(),
    v.regex(uuid),
    v.transform((text) => text as Id),
  );
}

/** Ids as records hold them. */
export const HostIdSchema = idSchema<HostId>();
export const VmIdSchema = idSchema<VmId>();
export const SrIdSchema = idSchema<SrId>();
export const VdiIdSchema = idSchema<VdiId>();
export const NetworkIdSchema = idSchema<NetworkId>();
export const OperationIdSchema = idSchema<OperationId>();

/** A name that people choose: a DNS label or name, so that it can be a host name as well. */
export const NameSchema = v.pipe(
  v.string(),
  v.maxLength(bounds.nameLength),
  v.regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
);

/** An epoch: 0 before the first claim. */
export const EpochSchema = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.transform((value) => value as Epoch),
);

/** A moment in milliseconds since 1970 (UTC). */
export const TimestampSchema = v.pipe(
  v.number(),
  v.safeInteger(),
  v.transform((value) => value as Timestamp),
);

/** A size or an amount of memory in bytes. */
export const BytesSchema = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.transform((value) => value as Bytes),
);
