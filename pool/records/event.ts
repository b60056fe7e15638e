import * as v from 'valibot';
import { TimestampSchema } from './identifiers.ts';

/**
 * Something an operator may want to know later. Key: `events/<milliseconds, 15 digits>-<id>`, under
 * a lease of a day.
 */
export const EventRecordSchema = v.object({
  id: v.string(),
  time: TimestampSchema,
  severity: v.picklist(['info', 'warning', 'error']),
  resource: v.object({ type: v.string(), id: v.string(), name: v.string() }),
  message: v.string(),
});
export type EventRecord = v.InferOutput<typeof EventRecordSchema>;
