import { ok } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import type { Event, PoolService, Severity } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Stored } from '../collection.ts';
import type { Pool } from '../pool.ts';
import type { EventRecord } from '../records/event.ts';
import type { RpcHandlers } from '../rpc/handler.ts';
import { nextPageToken, pageOf } from '../rpc/paging.ts';
import { timestampMessage } from '../rpc/timestamp.ts';
import { watchResources } from '../rpc/watch.ts';

type Handlers = Pick<RpcHandlers<PoolService>, 'listEvents' | 'watchEvents'>;

const severities: Readonly<Record<EventRecord['severity'], Severity>> = {
  info: 'SEVERITY_INFO',
  warning: 'SEVERITY_WARNING',
  error: 'SEVERITY_ERROR',
};

/** Handlers of the methods about events. */
export function eventHandlers(pool: Pool): Handlers {
  return {
    listEvents: async (request) => {
      const page = pageOf(request);
      if (!page.ok) return page;
      const read = await pool.events.list(page.value);
      if (!read.ok) return read;
      const events = read.value.items
        .filter(({ record }) => isAbout(record, request.resource))
        .map((stored) => eventMessage(stored));
      return ok({ events, nextPageToken: nextPageToken(read.value) });
    },
    watchEvents: (request, call) =>
      watchResources<Stored<EventRecord>, Event>(
        {
          database: pool.database,
          prefixes: [pool.events.prefix],
          resumeRevision: request.resumeRevision,
          idsOf: (entry) => [entry.key],
          resource: (key, entries) => {
            const entry = entries.get(key);
            const stored = entry === undefined ? null : pool.events.decode(entry);
            return stored?.ok === true ? stored.value : null;
          },
          // An event never changes, and that it is forgotten after a day is none.
          event: (type, stored, revision) =>
            type === 'CHANGE_TYPE_CREATED' && stored !== null
              ? eventMessage({ ...stored, modRevision: revision })
              : null,
        },
        call,
      ),
  };
}

function eventMessage({ record, modRevision }: Stored<EventRecord>): Input<Event> {
  return {
    id: record.id,
    time: timestampMessage(record.time),
    severity: severities[record.severity],
    resourceType: record.resource.type,
    resourceId: record.resource.id,
    resourceName: record.resource.name,
    message: record.message,
    revision: modRevision,
  };
}

function isAbout({ resource }: EventRecord, wanted: string): boolean {
  return wanted === '' || resource.id === wanted || resource.name === wanted;
}
