import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { CallSettings } from '../../proto/client.ts';
import type { Problem } from '../problem.ts';
import { callFailure } from './call.ts';
import { type HostClients, type PoolConnection, unreachable } from './pool-connection.ts';

/** What every event of a Watch call has. */
export interface WatchEvent {
  readonly type: string;
  readonly revision: number;
}

/** How to watch, and what to do with what comes. */
export interface Watcher<Event extends WatchEvent> {
  open(
    to: HostClients,
    resumeRevision: number,
    settings: CallSettings,
  ): ClientReadableStream<Event>;
  /** Called for every event, in the order of revisions. True: that was all. */
  onEvent(event: Event): boolean;
  /** The pool no longer knows what came after the last event: what exists is sent again from the start. */
  onRestart(): void;
  /** Whoever watches is told when the stream is broken, and that it goes on by another host. */
  onFailOver?(from: HostClients): void;
  readonly signal: AbortSignal;
}

/** How long a watch looks for a host that answers before it gives up: a pool's restart fits in. */
const patience = milliseconds(60_000);
const pause = milliseconds(400);

/**
 * Watches until `onEvent` says that it was all, or `signal` is aborted. When the host that sends the
 * events is lost, the watch goes on by another one right after the last event.
 */
export async function watch<Event extends WatchEvent>(
  pool: PoolConnection,
  watcher: Watcher<Event>,
): Promise<Result<void, Problem>> {
  let revision = 0;
  let fruitless = false;
  let givesUpAt = performance.now() + patience;
  const { signal } = watcher;
  while (!signal.aborted) {
    const [clients] = pool.candidates();
    if (clients === undefined) break;
    const stream = watcher.open(clients, revision, { signal });
    try {
      for await (const event of stream as AsyncIterable<Event>) {
        fruitless = false;
        givesUpAt = performance.now() + patience;
        pool.answered(clients.host);
        revision = Math.max(revision, event.revision);
        if (watcher.onEvent(event)) {
          stream.cancel();
          return ok(undefined);
        }
      }
      pool.wasSilent(clients.host, 'it ended the watch');
    } catch (error) {
      if (signal.aborted) break;
      const failure = callFailure(error as ServiceError);
      switch (failure.kind) {
        case 'silent':
          pool.wasSilent(clients.host, failure.why);
          break;
        case 'elsewhere':
          pool.wasSilent(clients.host, failure.problem.message);
          break;
        case 'not-now':
          if (performance.now() > givesUpAt) return fail(failure.problem);
          pool.wasSilent(clients.host, failure.problem.message);
          pool.waits(failure.problem);
          break;
        case 'refused':
          if (!startsOver(failure.problem)) return fail(failure.problem);
          revision = 0;
          watcher.onRestart();
          continue;
      }
    }
    if (signal.aborted) break;
    watcher.onFailOver?.(clients);
    if (performance.now() > givesUpAt) return fail(unreachable(pool.location, pool.silent()));
    // The next host is asked at once; only a pool that does not answer at all is given time.
    if (fruitless) await sleep(pause);
    fruitless = true;
    await pool.reconsider();
  }
  return ok(undefined);
}

function startsOver(problem: Problem): boolean {
  return problem.reason === 'REVISION_COMPACTED' || problem.reason === 'WATCH_TOO_SLOW';
}
