import { isDeepStrictEqual } from 'node:util';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import type { ChangeType } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Change, Entry, PoolDatabase, Revision } from '../database.ts';
import type { Failure } from '../failure.ts';
import { applyChange, snapshot } from '../follow.ts';
import type { StreamCall } from './handler.ts';

/** What a Watch rpc watches, and how it tells of it. */
export interface ResourceWatch<Resource, Event> {
  readonly database: PoolDatabase;
  /** Prefixes of all entries that a resource is made of. */
  readonly prefixes: readonly string[];
  /** The request's `resume_revision`; 0: from the start. */
  readonly resumeRevision: number;
  /** The ids of the resources that an entry is a part of, among all entries as they are then. */
  idsOf(entry: Entry, entries: ReadonlyMap<string, Entry>): readonly string[];
  /**
   * The resource of an id as the entries make it; null where there is none, or where the request's
   * filter leaves it out: one that comes to fit is CREATED, one that no longer fits is DELETED.
   */
  resource(id: string, entries: ReadonlyMap<string, Entry>): Resource | null;
  /** The message of an event, or null to leave it out; `resource` is null for SYNCED. */
  event(type: ChangeType, resource: Resource | null, revision: Revision): Input<Event> | null;
  /** The stream ends after a resource of which this holds was sent. */
  isLast?(resource: Resource): boolean;
}

/**
 * Answers a Watch call: what exists (CREATED), one SYNCED, then every change until the caller goes.
 * With a resume revision it goes on right after it, without those two. The revision of an event is
 * safe to resume from: where one transaction changed several resources, only its last event carries
 * its revision, and the others the one before; what is sent before SYNCED carries 0.
 */
export async function watchResources<Resource, Event>(
  watch: ResourceWatch<Resource, Event>,
  call: StreamCall<Event>,
): Promise<Result<void, Failure>> {
  const { database, prefixes, resumeRevision } = watch;
  const isResumed = resumeRevision > 0;
  const at = isResumed ? (resumeRevision as Revision) : undefined;
  const read = await snapshot(database, prefixes, at);
  if (!read.ok) return read;
  const entries = new Map(read.value.entries.map((entry) => [entry.key, entry]));
  if (!isResumed && (await sendExisting(watch, call, entries, read.value.revision)))
    return ok(undefined);
  const { signal } = call;
  for await (const batch of database.watch({ prefixes, after: read.value.revision, signal })) {
    if (batch.kind === 'failed') return fail(batch.failure);
    if (batch.kind === 'changes' && (await sendChanges(watch, call, entries, batch)))
      return ok(undefined);
  }
  return ok(undefined);
}

/** Whether the stream is over with it. */
async function sendExisting<Resource, Event>(
  watch: ResourceWatch<Resource, Event>,
  call: StreamCall<Event>,
  entries: ReadonlyMap<string, Entry>,
  revision: Revision,
): Promise<boolean> {
  let isOver = false;
  const ids = new Set([...entries.values()].flatMap((entry) => watch.idsOf(entry, entries)));
  for (const id of ids) {
    const resource = watch.resource(id, entries);
    if (resource === null) continue;
    await send(call, watch.event('CHANGE_TYPE_CREATED', resource, 0 as Revision));
    isOver ||= watch.isLast?.(resource) ?? false;
  }
  await send(call, watch.event('CHANGE_TYPE_SYNCED', null, revision));
  return isOver;
}

/** Whether the stream is over with it. */
async function sendChanges<Resource, Event>(
  watch: ResourceWatch<Resource, Event>,
  call: StreamCall<Event>,
  entries: Map<string, Entry>,
  batch: { readonly revision: Revision; readonly changes: readonly Change[] },
): Promise<boolean> {
  const ids = [...new Set(batch.changes.flatMap((change) => idsOf(watch, change, entries)))];
  const before = new Map(ids.map((id) => [id, watch.resource(id, entries)]));
  for (const change of batch.changes) applyChange(entries, change);
  const events = ids.flatMap((id) => {
    const was = before.get(id) ?? null;
    const is = watch.resource(id, entries);
    const type = changeType(was, is);
    return type === null ? [] : [{ type, resource: is ?? was }];
  });
  for (const [index, { type, resource }] of events.entries()) {
    const isLast = index === events.length - 1;
    const revision = isLast ? batch.revision : ((batch.revision - 1) as Revision);
    await send(call, watch.event(type, resource, revision));
  }
  return events.some(({ resource }) => resource !== null && (watch.isLast?.(resource) ?? false));
}

async function send<Event>(call: StreamCall<Event>, message: Input<Event> | null): Promise<void> {
  if (message !== null) await call.send(message);
}

function idsOf(
  watch: ResourceWatch<unknown, unknown>,
  change: Change,
  entries: ReadonlyMap<string, Entry>,
): readonly string[] {
  const own = change.kind === 'put' ? [change.previous, change.entry] : [change.previous];
  return own.flatMap((entry) => (entry === null ? [] : watch.idsOf(entry, entries)));
}

/** Null: nothing that the caller would see. */
function changeType<Resource>(was: Resource | null, is: Resource | null): ChangeType | null {
  if (was === null) return is === null ? null : 'CHANGE_TYPE_CREATED';
  if (is === null) return 'CHANGE_TYPE_DELETED';
  return isDeepStrictEqual(was, is) ? null : 'CHANGE_TYPE_UPDATED';
}
