import * as v from 'valibot';
import { NameSchema, NetworkIdSchema, TimestampSchema } from './identifiers.ts';

/** A network that VMs have interfaces on: a bridge of the same name on every host. Key: `networks/<id>`. */
export const NetworkRecordSchema = v.object({
  id: NetworkIdSchema,
  name: NameSchema,
  /** Linux allows 15 characters. */
  bridge: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9.-]{0,14}$/)),
  mtu: v.pipe(v.number(), v.integer(), v.minValue(68), v.maxValue(9216)),
  createdAt: TimestampSchema,
});
export type NetworkRecord = v.InferOutput<typeof NetworkRecordSchema>;
