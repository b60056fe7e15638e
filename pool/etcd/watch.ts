import type { ServiceError } from '@grpc/grpc-js';
import { AssertionFailure } from '../../base/assert.ts';
import { bounds } from '../../base/bounds.ts';
import type { Connection } from '../../proto/client.ts';
import { Watch, type WatchResponse } from '../../proto/gen/etcdserverpb.ts';
import type { Event as MvccEvent } from '../../proto/gen/mvccpb.ts';
import type { Revision, WatchBatch, WatchRequest } from '../database.ts';
import { revisionCompacted, watchTooSlow } from '../database-failures.ts';
import type { Failure } from '../failure.ts';
import { keyOf } from '../follow.ts';
import { type Queue, queue } from '../queue.ts';
import { type Endpoints, requireLeader } from './endpoints.ts';
import { judge, watchRefusal } from './errors.ts';
import { bytesOf, changeOf, commonPrefix, prefixEnd, revisionOf } from './messages.ts';

/**
 * A watch that goes from member to member. It starts each time right after the last revision that
 * was seen in full: etcd sends all changes of one revision in one response, so that nothing is
 * skipped and nothing repeated.
 */
export function watch(endpoints: Endpoints, request: WatchRequest): AsyncIterable<WatchBatch> {
  const batches = queue<WatchBatch>(bounds.watchBacklog);
  const signal = AbortSignal.any([request.signal, endpoints.closed]);
  const follow = async () => {
    let after = request.after;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const connection = endpoints.current;
      const seen = await watchOnce(connection, { ...request, after, signal }, batches);
      if (seen.failure !== null) return batches.end({ kind: 'failed', failure: seen.failure });
      if (seen.answered) attempt = 1;
      after = seen.revision;
      endpoints.turnFrom(connection);
      await endpoints.pause(attempt, signal);
    }
    return batches.end();
  };
  void follow();
  return batches;
}

/** How far a stream came. */
interface Seen {
  readonly revision: Revision;
  /** The member had accepted the watch. */
  readonly answered: boolean;
  /** Null: it ended in a way that another member may mend. */
  readonly failure: Failure | null;
}

async function watchOnce(
  connection: Connection,
  { prefixes, after, signal }: WatchRequest,
  batches: Queue<WatchBatch>,
): Promise<Seen> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const stream = connection.client(Watch).watch({ signal: either, metadata: requireLeader() });
  const prefix = commonPrefix(prefixes);
  stream.write({
    createRequest: {
      key: prefix === '' ? Uint8Array.of(0) : bytesOf(prefix),
      rangeEnd: prefixEnd(prefix),
      startRevision: BigInt(after) + 1n,
      progressNotify: true,
      prevKv: true,
    },
  });
  let revision = after;
  let answered = false;
  const end = (failure: Failure | null): Seen => ({ revision, answered, failure });
  try {
    for await (const response of stream) {
      if (response.compactRevision > 0n) return end(revisionCompacted(revision));
      if (response.canceled) return end(watchRefusal(response.cancelReason));
      answered = true;
      if (!deliver(response, prefixes, revision, batches))
        return end(watchTooSlow(bounds.watchBacklog));
      revision = reached(response, revision);
    }
    return end(null);
  } catch (error) {
    if (error instanceof AssertionFailure) throw error;
    if (signal.aborted || !isServiceError(error)) return end(null);
    const verdict = judge(error, revision);
    return end(verdict.kind === 'failure' ? verdict.failure : null);
  } finally {
    over.abort();
  }
}

/** False: the reader is too far behind. */
function deliver(
  response: WatchResponse,
  prefixes: readonly string[],
  after: Revision,
  batches: Queue<WatchBatch>,
): boolean {
  for (const [revision, events] of byRevision(response.events)) {
    if (revision <= after) continue;
    const changes = events
      .map(changeOf)
      .filter((change) => prefixes.some((prefix) => keyOf(change).startsWith(prefix)));
    if (changes.length === 0) continue;
    if (!batches.push({ kind: 'changes', revision, changes }, changes.length)) return false;
  }
  if (!isProgress(response)) return true;
  return batches.push({ kind: 'progress', revision: reached(response, after) }, 0);
}

function byRevision(events: readonly MvccEvent[]): Map<Revision, MvccEvent[]> {
  const groups = new Map<Revision, MvccEvent[]>();
  for (const event of events) {
    const revision = revisionOf(event.kv?.modRevision ?? 0n);
    const group = groups.get(revision) ?? [];
    group.push(event);
    groups.set(revision, group);
  }
  return groups;
}

/** A response without events, other than the one that accepts the watch, says how far it is. */
function isProgress(response: WatchResponse): boolean {
  return !response.created && !response.canceled && response.events.length === 0;
}

/** The revision up to which everything has been received. */
function reached(response: WatchResponse, before: Revision): Revision {
  const last = response.events.at(-1)?.kv?.modRevision;
  const progress = isProgress(response) ? response.header?.revision : undefined;
  return Math.max(before, revisionOf(last ?? progress ?? 0n)) as Revision;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}
