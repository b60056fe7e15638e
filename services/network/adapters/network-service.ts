import { ok } from '../../../base/result.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Stored } from '../../../pool/collection.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { NetworkRecord } from '../../../pool/records/network.ts';
import { type Mounted, mount } from '../../../pool/rpc/handler.ts';
import { nextPageToken, pageOf } from '../../../pool/rpc/paging.ts';
import { timestampMessage } from '../../../pool/rpc/timestamp.ts';
import { watchResources } from '../../../pool/rpc/watch.ts';
import {
  type Network,
  type NetworkEvent,
  NetworkService,
} from '../../../proto/gen/flotilla.network.v1.ts';
import { createNetwork, deleteNetwork, updateNetwork } from './network-requests.ts';

/** The pool's view of networks: it needs nothing but the pool database, so any host answers. */
export function networkService(pool: Pool, clock: Clock): Mounted {
  const { database, networks } = pool;
  return mount(NetworkService, {
    getNetwork: async (request) => {
      const stored = await networks.find(request.network);
      return stored.ok ? ok(message(stored.value)) : stored;
    },
    listNetworks: async (request) => {
      const page = pageOf(request);
      if (!page.ok) return page;
      const read = await networks.list(page.value);
      if (!read.ok) return read;
      return ok({
        networks: read.value.items.map(message),
        nextPageToken: nextPageToken(read.value),
      });
    },
    watchNetworks: ({ resumeRevision }, call) =>
      watchResources<Network, NetworkEvent>(
        {
          ...{ database, resumeRevision, prefixes: [networks.prefix] },
          idsOf: ({ key }) => {
            const id = networks.idOf(key);
            return id === null ? [] : [id];
          },
          resource: (id, entries) => {
            const entry = entries.get(networks.key(id));
            const stored = entry === undefined ? null : networks.decode(entry);
            return stored?.ok === true ? message(stored.value) : null;
          },
          event: (type, network, revision) => ({ type, network, revision }),
        },
        call,
      ),
    createNetwork: async (request) => {
      const made = await createNetwork(pool, clock, request);
      return made.ok ? ok(message(made.value)) : made;
    },
    updateNetwork: async (request) => {
      const updated = await updateNetwork(pool, request);
      return updated.ok ? ok(message(updated.value)) : updated;
    },
    deleteNetwork: async (request) => {
      const deleted = await deleteNetwork(pool, request);
      return deleted.ok ? ok({}) : deleted;
    },
  });
}

function message({ record, modRevision }: Stored<NetworkRecord>): Network {
  const { id, name, bridge, mtu, createdAt } = record;
  return {
    ...{ id, name, bridge, mtu },
    createTime: timestampMessage(createdAt),
    revision: modRevision,
  };
}
