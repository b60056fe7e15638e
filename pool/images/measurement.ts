import * as v from 'valibot';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { serviceNames } from '../records/host.ts';
import { type HostId, TimestampSchema } from '../records/identifiers.ts';
import { type Sha256, Sha256Schema, sha256Of } from './digest.ts';

/**
 * What a host writes down of a domain before it is built: the digests of what the hypervisor is
 * handed. Each measurement holds the digest of the one before it, so that none can be changed, left
 * out or put in between without changing all that follow: the last digest stands for all of them.
 */
export const MeasurementSchema = v.strictObject({
  /** From 1, without gaps, since the host booted. */
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  time: TimestampSchema,
  domain: v.strictObject({
    name: v.pipe(v.string(), v.maxLength(2 * bounds.nameLength)),
    uuid: v.pipe(v.string(), v.maxLength(36)),
  }),
  /** The service that it is the guest of; null for an ordinary VM. */
  service: v.nullable(v.picklist(serviceNames)),
  /** Null: there was no such file, as the pretend guests of a simulated host have none. */
  kernel: v.nullable(Sha256Schema),
  initramfs: v.nullable(Sha256Schema),
  commandLine: Sha256Schema,
  /** The words that the host added to the command line of a service's image. */
  hostWords: v.pipe(v.string(), v.maxLength(bounds.kernelCommandLine)),
  /** The signed manifest by which a service's guest was admitted; null for an ordinary VM. */
  manifest: v.nullable(Sha256Schema),
  previous: Sha256Schema,
});
export type Measurement = v.InferOutput<typeof MeasurementSchema>;

/** The end of a chain: what the next measurement continues. */
export interface ChainHead {
  /** Of the last measurement; 0 where there is none yet. */
  readonly sequence: number;
  readonly digest: Sha256;
}

/** Where the chain of a boot begins: no chain can be passed off as another host's or another boot's. */
export function chainBeginning(host: HostId, boot: string): ChainHead {
  return { sequence: 0, digest: sha256Of(`flotilla measurements, version 1\0${host}\0${boot}`) };
}

/** A measurement as a line of the log: its fields in the order of the schema. */
export function measurementText(measurement: Measurement): string {
  return JSON.stringify(v.parse(MeasurementSchema, measurement));
}

/** The chain's end after a measurement. */
export function headAfter(measurement: Measurement): ChainHead {
  const digest = sha256Of(`flotilla measurement, version 1\0${measurementText(measurement)}`);
  return { sequence: measurement.sequence, digest };
}

/** The measurement that continues a chain. */
export function nextMeasurement(
  head: ChainHead,
  measured: Omit<Measurement, 'sequence' | 'previous'>,
): Measurement {
  return { ...measured, sequence: head.sequence + 1, previous: head.digest };
}

/** Where a chain is broken. */
export interface BrokenChain {
  readonly sequence: number;
  /** A clause about that measurement. */
  readonly why: string;
}

/** Follows a chain from a head over the measurements after it. */
export function followChain(
  from: ChainHead,
  measurements: readonly Measurement[],
): Result<ChainHead, BrokenChain> {
  let head = from;
  for (const each of measurements) {
    const { sequence, previous } = each;
    if (sequence !== head.sequence + 1)
      return fail({ sequence: head.sequence + 1, why: `is missing; ${sequence} comes next` });
    if (previous !== head.digest)
      return fail({
        sequence,
        why: 'does not continue the one before it: one of them was changed',
      });
    head = headAfter(each);
  }
  return ok(head);
}

/** Reads a line of the log. */
export function readMeasurement(text: string): Result<Measurement, string> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), MeasurementSchema), text);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  return fail(field === null ? issue.message : `${field}: ${issue.message}`);
}
