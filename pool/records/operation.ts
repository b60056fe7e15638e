import * as v from 'valibot';
import { failureReasons } from '../failure.ts';
import { serviceNames } from './host.ts';
import { HostIdSchema, OperationIdSchema, TimestampSchema } from './identifiers.ts';

const StepStateSchema = v.picklist(['pending', 'running', 'done', 'failed', 'undone']);

/** One step: a name that a driver answers to, and its arguments as data. */
export const OperationStepSchema = v.object({
  /** `storage.attach`, `domain.create`. */
  name: v.string(),
  /** For people: `attach disk web-0`. */
  description: v.string(),
  state: StepStateSchema,
  /** What the driver needs to do it, and to undo it, whatever happened in between. */
  input: v.record(v.string(), v.unknown()),
  /** What it produced, for the steps after it; empty until it is done. */
  output: v.record(v.string(), v.unknown()),
  /**
   * Once it has begun the operation is past the point of no return: it cannot be cancelled. Once it
   * is done, neither it nor a step before it is undone.
   */
  irreversible: v.optional(v.boolean(), false),
});
export type OperationStep = v.InferOutput<typeof OperationStepSchema>;

/** A failure as it is kept in a record: `pool/failure.ts`. */
export const StoredFailureSchema = v.object({
  reason: v.picklist(failureReasons),
  message: v.string(),
  remedy: v.string(),
  resource: v.optional(v.object({ type: v.string(), name: v.string() })),
  field: v.optional(v.string()),
});

/**
 * Work that takes time, written down. `operations/<id>`; the one service that runs it, `service` on
 * `host`, writes it forward, except for `cancelRequested`, which anybody may set.
 */
export const OperationRecordSchema = v.object({
  id: OperationIdSchema,
  /** `vm.start`. */
  verb: v.string(),
  resource: v.object({ type: v.string(), id: v.string(), name: v.string() }),
  service: v.picklist(serviceNames),
  host: HostIdSchema,
  state: v.picklist(['pending', 'running', 'undoing', 'succeeded', 'failed', 'cancelled']),
  steps: v.array(OperationStepSchema),
  /**
   * The step that is being done or undone, as an index; the number of steps once all are done, and -1
   * once all are undone.
   */
  cursor: v.pipe(v.number(), v.integer(), v.minValue(-1)),
  /** Why it is being undone or has failed. */
  failure: v.nullable(StoredFailureSchema),
  cancelRequested: v.boolean(),
  /** What the caller of the API chose, so that asking twice is asking once; or empty. */
  requestId: v.string(),
  createdAt: TimestampSchema,
  endedAt: v.nullable(TimestampSchema),
});
export type OperationRecord = v.InferOutput<typeof OperationRecordSchema>;
