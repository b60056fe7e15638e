import type { ServiceError } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { CallSettings, Connection } from '../../proto/client.ts';
import { Lease as LeaseService } from '../../proto/gen/etcdserverpb.ts';
import type { Lease, LeaseId, PoolDatabase } from '../database.ts';
import { leaseNotFound } from '../database-failures.ts';
import type { Endpoints } from './endpoints.ts';

type Leases = Pick<PoolDatabase, 'grantLease' | 'renewLease' | 'revokeLease'>;

/** The leases of the etcd API, whose times are whole seconds. */
export function leases(endpoints: Endpoints): Leases {
  return {
    grantLease: async (ttl) => {
      const request = { TTL: BigInt(Math.ceil(ttl / 1000)) };
      const granted = await endpoints.call(
        (connection, settings) => connection.client(LeaseService).leaseGrant(request, settings),
        true,
      );
      return granted.ok ? ok(leaseOf(granted.value)) : granted;
    },
    renewLease: async (id) => {
      const renewed = await endpoints.call(
        (connection, settings) => keepAlive(connection, settings, id),
        true,
      );
      if (!renewed.ok) return renewed;
      return renewed.value.ttl > 0 ? renewed : fail(leaseNotFound);
    },
    revokeLease: async (id) => {
      const revoked = await endpoints.call(
        (connection, settings) => connection.client(LeaseService).leaseRevoke({ ID: id }, settings),
        true,
      );
      return revoked.ok || revoked.error.reason === 'NOT_FOUND' ? ok(undefined) : revoked;
    },
  };
}

/** One renewal on a stream of its own, as every renewal may go to another member. */
function keepAlive(
  connection: Connection,
  settings: CallSettings,
  id: LeaseId,
): Promise<Result<Lease, ServiceError>> {
  const over = new AbortController();
  const signals = [over.signal, ...(settings.signal === undefined ? [] : [settings.signal])];
  const stream = connection
    .client(LeaseService)
    .leaseKeepAlive({ ...settings, signal: AbortSignal.any(signals) });
  return new Promise((resolve) => {
    const end = (result: Result<Lease, ServiceError>) => {
      resolve(result);
      over.abort();
    };
    stream.once('data', (response: { ID: bigint; TTL: bigint }) => end(ok(leaseOf(response))));
    stream.on('error', (error: ServiceError) => end(fail(error)));
    stream.once('end', () => end(ok({ id, ttl: milliseconds(0) })));
    stream.write({ ID: id });
    stream.end();
  });
}

function leaseOf({ ID, TTL }: { readonly ID: bigint; readonly TTL: bigint }): Lease {
  return { id: ID as LeaseId, ttl: milliseconds(Number(TTL) * 1000) };
}
