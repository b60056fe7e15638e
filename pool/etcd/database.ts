import { randomInt } from 'node:crypto';
import { type ChannelCredentials, credentials as grpcCredentials } from '@grpc/grpc-js';
import { assert } from '../../base/assert.ts';
import { bounds } from '../../base/bounds.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { ok } from '../../base/result.ts';
import { KV } from '../../proto/gen/etcdserverpb.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { PoolDatabase } from '../database.ts';
import { Endpoints } from './endpoints.ts';
import { leases } from './lease.ts';
import { members } from './members.ts';
import {
  bytesOf,
  compareMessage,
  entryOf,
  prefixEnd,
  revisionOf,
  writeMessage,
} from './messages.ts';
import { watch } from './watch.ts';

/** Which database to use. */
export interface EtcdSettings {
  /** HOST:PORT of members of the database; all of them, so that any may fail. */
  readonly endpoints: readonly string[];
  /** Left out: plain text. */
  readonly credentials?: ChannelCredentials | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * The pool database over the etcd v3 API: our own consensus service or an etcd cluster. A call goes
 * to one member until that fails, and then to the next.
 */
export function etcdDatabase(settings: EtcdSettings): PoolDatabase {
  assert(settings.endpoints.length > 0, 'a database has an endpoint');
  const endpoints = new Endpoints({
    endpoints: settings.endpoints,
    credentials: settings.credentials ?? grpcCredentials.createInsecure(),
    clock: settings.clock ?? systemClock,
    random: settings.random ?? seededRandom(randomInt(2 ** 32)),
  });
  return {
    get: async (key) => {
      const read = await endpoints.call(
        (connection, call) => connection.client(KV).range({ key: bytesOf(key) }, call),
        true,
      );
      if (!read.ok) return read;
      const [pair] = read.value.kvs;
      return ok(pair === undefined ? null : entryOf(pair));
    },
    list: async ({ prefix, after, limit, revision }) => {
      const request = {
        key: bytesOf(after === undefined || after < prefix ? prefix : `${after}\0`),
        rangeEnd: prefixEnd(prefix),
        limit: BigInt(limit ?? bounds.pageSizeMax),
        revision: BigInt(revision ?? 0),
      };
      const read = await endpoints.call(
        (connection, call) => connection.client(KV).range(request, call),
        true,
        revision,
      );
      if (!read.ok) return read;
      return ok({
        entries: read.value.kvs.map(entryOf),
        more: read.value.more,
        revision: revision ?? revisionOf(read.value.header?.revision ?? 0n),
      });
    },
    transact: async ({ comparisons, writes }) => {
      const request = {
        compare: comparisons.map(compareMessage),
        success: writes.map(writeMessage),
      };
      const done = await endpoints.call(
        (connection, call) => connection.client(KV).txn(request, call),
        false,
      );
      if (!done.ok) return done;
      const revision = revisionOf(done.value.header?.revision ?? 0n);
      return ok({ committed: done.value.succeeded, revision });
    },
    watch: (request) => watch(endpoints, request),
    ...leases(endpoints),
    members: () => members(endpoints),
    close: () => endpoints.close(),
  };
}
