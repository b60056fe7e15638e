import { randomInt } from 'node:crypto';
import { bounds } from '../../base/bounds.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Stored } from '../collection.ts';
import type { Failure } from '../failure.ts';
import { keyOf } from '../follow.ts';
import { type MirrorBatch, mirror } from '../mirror.ts';
import type { Pool } from '../pool.ts';
import type { ServiceName } from '../records/host.ts';
import type { HostId } from '../records/identifiers.ts';
import type { OperationRecord } from '../records/operation.ts';
import { isEnded } from './core.ts';
import type { Finishes, StepDrivers } from './driver.ts';
import { trimEnded } from './trim.ts';
import { Worker } from './worker.ts';

/** Operations that a service runs at once: more would only make each slower. */
const concurrencyBound = 16;

/** What a runner reports, for the service's log. */
export interface RunnerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How to run the operations of one service on one host. */
export interface RunnerSettings {
  readonly pool: Pool;
  readonly service: ServiceName;
  readonly host: HostId;
  readonly drivers: StepDrivers;
  /** What else is written when an operation of a verb ends. */
  readonly finishes: Finishes;
  readonly log: RunnerLog;
  /** Called after an operation has ended. */
  readonly onEnd?: (operation: OperationRecord) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A runner at work. */
export interface OperationRunner {
  /** Aborts what runs, and resolves when every driver has returned. Nothing is recorded any more. */
  close(): Promise<void>;
}

/**
 * Runs the operations of a service on a host: those that it finds and those that come. Of one
 * resource one at a time, in the order in which they were made; of others up to a bound at once.
 */
export function runOperations(settings: RunnerSettings): OperationRunner {
  const { pool, service, host, drivers, finishes, log, clock = systemClock } = settings;
  const random = settings.random ?? seededRandom(randomInt(2 ** 32));
  const closing = new AbortController();
  const waiting = new Map<string, Stored<OperationRecord>>();
  /** By the operation's key, and the resources that they work on. */
  const workers = new Map<string, Worker>();
  const busy = new Set<string>();
  const running = new Set<Promise<void>>();
  /** Ended here, while the mirror still shows an earlier state: that one must not run again. */
  const ahead = new Set<string>();

  const onRetry = (operation: OperationRecord, failure: Failure) =>
    log.warn({ operation: operation.id, verb: operation.verb, failure }, 'trying again');
  const workerSettings = {
    ...{ pool, drivers, finishes, clock, random, onRetry },
    closing: closing.signal,
  };

  const start = (stored: Stored<OperationRecord>): void => {
    const { key, record } = stored;
    const resource = resourceOf(record);
    const worker = new Worker(workerSettings, stored);
    waiting.delete(key);
    workers.set(key, worker);
    busy.add(resource);
    const work = worker.run().then((ended) => {
      workers.delete(key);
      busy.delete(resource);
      running.delete(work);
      if (ended !== null) {
        if (!showsEnd(key)) ahead.add(key);
        const { id, verb, state, failure } = ended;
        log.info({ operation: id, verb, state, failure }, 'operation ended');
        settings.onEnd?.(ended);
      }
      schedule();
    });
    running.add(work);
  };

  const showsEnd = (key: string): boolean => {
    const entry = copy.entries.get(key);
    const stored = entry === undefined ? null : pool.operations.decode(entry);
    return stored === null || (stored.ok && isEnded(stored.value.record));
  };

  const schedule = (): void => {
    if (closing.signal.aborted) return;
    const next = [...waiting.values()].sort(byAge);
    for (const stored of next) {
      if (workers.size >= concurrencyBound) return;
      if (!busy.has(resourceOf(stored.record))) start(stored);
    }
  };

  const take = (batch: MirrorBatch): void => {
    for (const change of batch.changes) {
      if (change.kind === 'delete') {
        waiting.delete(change.key);
        ahead.delete(change.key);
        continue;
      }
      const stored = pool.operations.decode(change.entry);
      if (!stored.ok) {
        log.error({ failure: stored.error }, 'an operation cannot be read');
        continue;
      }
      const { record } = stored.value;
      if (record.service !== service || record.host !== host) continue;
      const key = keyOf(change);
      const worker = workers.get(key);
      if (isEnded(record)) {
        waiting.delete(key);
        ahead.delete(key);
      }
      if (worker !== undefined) worker.observe(stored.value);
      else if (!isEnded(record) && !ahead.has(key)) waiting.set(key, stored.value);
    }
    schedule();
  };

  const copy = mirror(pool.database, [pool.operationsOf(service).prefix], {
    signal: closing.signal,
    clock,
    onBatch: take,
    onFailure: (failure) => log.warn({ failure }, 'operations cannot be read'),
  });
  const trimming = trimEnded({
    pool,
    clock,
    signal: closing.signal,
    entries: copy.entries,
    bound: bounds.endedOperations,
    onFailure: (failure) => log.warn({ failure }, 'ended operations cannot be trimmed'),
  });

  return {
    close: async () => {
      closing.abort();
      await Promise.all([...running, trimming]);
    },
  };
}

function resourceOf(operation: OperationRecord): string {
  return `${operation.resource.type}/${operation.resource.id}`;
}

function byAge(a: Stored<OperationRecord>, b: Stored<OperationRecord>): number {
  return a.record.createdAt - b.record.createdAt || (a.key < b.key ? -1 : 1);
}
