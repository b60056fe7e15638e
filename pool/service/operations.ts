import { fail, ok, type Result } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import type { Operation, OperationEvent, PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Stored } from '../collection.ts';
import { commit } from '../commit.ts';
import type { Failure } from '../failure.ts';
import { notFound } from '../named-collection.ts';
import { isEnded, step } from '../operations/core.ts';
import { operationMessage } from '../operations/message.ts';
import type { Pool } from '../pool.ts';
import type { OperationRecord } from '../records/operation.ts';
import type { RpcHandlers } from '../rpc/handler.ts';
import { pageItems, pageOf } from '../rpc/paging.ts';
import { watchResources } from '../rpc/watch.ts';

type Handlers = Pick<
  RpcHandlers<PoolService>,
  'getOperation' | 'listOperations' | 'watchOperations' | 'cancelOperation'
>;

/** The services that run operations. */
const operationServices = ['vm-lifecycle', 'storage'] as const;

/** Attempts to write the request for a cancel, each of which a step that ends may overtake. */
const cancelAttempts = 10;

/** Milliseconds that times are subtracted from, so that the newest operation comes first. */
const farFuture = 1e15;

/** Handlers of the methods about operations. */
export function operationHandlers(pool: Pool): Handlers {
  return {
    getOperation: async (request) => {
      const found = await find(pool, request.operation);
      return found.ok ? ok(operationMessage(found.value)) : found;
    },
    listOperations: async (request) => {
      const page = pageOf(request);
      if (!page.ok) return page;
      const all = await pool.operations.all();
      if (!all.ok) return all;
      const wanted = all.value
        .filter(({ record }) => !request.active || !isEnded(record))
        .filter(({ record }) => isAbout(record, request.resource))
        .sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
      const { items, nextPageToken } = pageItems(wanted, positionOf, page.value);
      return ok({ operations: items.map(operationMessage), nextPageToken });
    },
    watchOperations: async (request, call) => {
      const { operation, resumeRevision } = request;
      const found = operation === '' ? null : await find(pool, operation);
      if (found?.ok === false) return found;
      return watchResources<Input<Operation>, OperationEvent>(
        {
          database: pool.database,
          prefixes: [found?.value.key ?? pool.operations.prefix],
          resumeRevision,
          idsOf: (entry) => [entry.key],
          resource: (key, entries) => {
            const entry = entries.get(key);
            const stored = entry === undefined ? null : pool.operations.decode(entry);
            return stored?.ok === true ? operationMessage(stored.value) : null;
          },
          event: (type, message, revision) => ({ type, operation: message, revision }),
          isLast: (message) => operation !== '' && (message.endTime ?? null) !== null,
        },
        call,
      );
    },
    cancelOperation: async (request) => {
      const cancelled = await cancel(pool, request.operation);
      return cancelled.ok ? ok(operationMessage(cancelled.value)) : cancelled;
    },
  };
}

async function find(pool: Pool, id: string): Promise<Result<Stored<OperationRecord>, Failure>> {
  for (const service of operationServices) {
    const read = await pool.operationsOf(service).get(id);
    if (!read.ok) return read;
    if (read.value !== null) return ok(read.value);
  }
  return fail(notFound('operation', id));
}

/** Sets `cancelRequested`; the service that runs the operation sees it and acts. */
async function cancel(pool: Pool, id: string): Promise<Result<Stored<OperationRecord>, Failure>> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await find(pool, id);
    if (!found.ok) return found;
    const { record } = found.value;
    if (isEnded(record)) return fail(alreadyEnded(record));
    const after = step(record, { kind: 'cancel' });
    if (after === record) return found;
    const written = await commit(
      pool.database,
      pool.operationsOf(after.service).replacing(found.value, after),
    );
    if (written.ok) return ok({ ...found.value, record: after, modRevision: written.value });
    if (written.error.reason !== 'CONFLICT' || attempt >= cancelAttempts) return written;
  }
}

function isAbout({ resource }: OperationRecord, wanted: string): boolean {
  return wanted === '' || resource.id === wanted || resource.name === wanted;
}

function positionOf({ record }: Stored<OperationRecord>): string {
  return `${String(farFuture - record.createdAt).padStart(16, '0')}-${record.id}`;
}

function alreadyEnded({ id, state, verb }: OperationRecord): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the operation ${verb} has ended already: it ${stateWords[state]}`,
    remedy: '',
    resource: { type: 'operation', name: id },
  };
}

const stateWords: Readonly<Record<OperationRecord['state'], string>> = {
  pending: 'waits',
  running: 'runs',
  undoing: 'is being undone',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'was cancelled',
};
