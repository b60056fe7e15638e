import * as v from 'valibot';
import { Sha256Schema } from '../images/digest.ts';
import { TimestampSchema } from './identifiers.ts';

/**
 * Where a host's chain of measurements ends, as its vm-lifecycle service says. Key:
 * `measurement-heads/<host id>`; the measurements are at `measurements/<host id>/<boot>/<sequence>`.
 */
export const MeasurementHeadSchema = v.object({
  /** The host's boot, as Linux names it. */
  boot: v.pipe(v.string(), v.regex(/^[0-9a-f-]{1,36}$/)),
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  digest: Sha256Schema,
  time: TimestampSchema,
});
export type MeasurementHead = v.InferOutput<typeof MeasurementHeadSchema>;

/** The id of a measurement's record: ids are in the order of sequence numbers. */
export function measurementId(host: string, boot: string, sequence: number): string {
  return `${host}/${boot}/${String(sequence).padStart(10, '0')}`;
}
