import type { ServiceError } from '@grpc/grpc-js';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { ServiceName } from '../../pool/records/host.ts';
import type { CallSettings, Client } from '../../proto/client.ts';
import type { ServiceType } from '../../proto/codec.ts';
import { call } from './call.ts';
import type { PoolConnection } from './pool-connection.ts';

/** What it tells is a nicety: nobody waits long for it. */
const patience = milliseconds(2000);

/**
 * Asks a service that any host has, other than vm-lifecycle: the hosts' records say where it is.
 * Undefined where no host's answers.
 */
export async function askService<Shape, Response>(
  pool: PoolConnection,
  service: ServiceName,
  type: ServiceType<Shape>,
  attempt: (to: Client<Shape>, settings: CallSettings) => Promise<Result<Response, ServiceError>>,
): Promise<Response | undefined> {
  const hosts = await call(pool, (to, settings) => to.pool.listHosts({}, settings));
  if (!hosts.ok) return undefined;
  for (const host of hosts.value.hosts) {
    const address = host.endpoints[service];
    if (host.state !== 'HOST_STATE_UP' || address === undefined) continue;
    const answer = await attempt(pool.open(address).client(type), { timeout: patience });
    if (answer.ok) return answer.value;
  }
  return undefined;
}
