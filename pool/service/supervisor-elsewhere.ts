import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { type Connection, connect } from '../../proto/client.ts';
import type { Input } from '../../proto/codec.ts';
import {
  type ListServicesResponse,
  type RestartServiceResponse,
  SupervisorService,
} from '../../proto/gen/flotilla.pool.v1.ts';
import type { Failure } from '../failure.ts';
import type { Pool } from '../pool.ts';
import type { HostId } from '../records/identifiers.ts';
import type { StreamCall } from '../rpc/handler.ts';
import { failureOf, isServiceError } from '../rpc/status.ts';

/** How long another host has to say what its supervisors keep. */
const handOnPatience = milliseconds(10_000);

/** Another host, and where its vm-lifecycle answers. */
export interface Elsewhere {
  readonly id: HostId;
  readonly name: string;
  readonly address: string;
}

/** Where a request is for; null: this host. Who asks a host for itself is answered without the database. */
export async function placeOf(
  { pool, host }: { readonly pool: Pool; readonly host: Pick<Elsewhere, 'id' | 'name'> },
  request: { readonly host: string; readonly onlyHere: boolean },
): Promise<Result<Elsewhere | null, Failure>> {
  const named = request.host;
  if (named === host.name || named === host.id) return ok(null);
  if (named === '' || named.length > bounds.nameLength) return fail(noHost);
  if (request.onlyHere) return fail(misdirected(host.name, named));
  const found = await pool.hosts.find(named);
  if (!found.ok) return fail({ ...found.error, field: 'host' });
  const { id, name, endpoints } = found.value.record;
  const lease = await pool.hostLeases.get(id);
  if (!lease.ok) return lease;
  const address = endpoints['vm-lifecycle'];
  if (lease.value === null || address === undefined) return fail(down(name));
  return ok({ id, name, address });
}

/** Hands ListServices on. */
export async function listElsewhere(
  host: Elsewhere,
  credentials: ChannelCredentials,
): Promise<Result<Input<ListServicesResponse>, Failure>> {
  return elsewhere(host, credentials, async (connection) => {
    const request = { host: host.id, onlyHere: true };
    const timeout = handOnPatience;
    const answer = await connection.client(SupervisorService).listServices(request, { timeout });
    return answer.ok ? answer : fail(failureAt(host, answer.error));
  });
}

/** Hands RestartService on, with all that comes of it. */
export async function restartElsewhere(
  host: Elsewhere,
  service: string,
  credentials: ChannelCredentials,
  call: StreamCall<RestartServiceResponse>,
): Promise<Result<void, Failure>> {
  return elsewhere(host, credentials, async (connection) => {
    const request = { host: host.id, service, onlyHere: true };
    const { signal } = call;
    const stream = connection.client(SupervisorService).restartService(request, { signal });
    try {
      for await (const message of stream as AsyncIterable<RestartServiceResponse>)
        await call.send(message);
      return ok(undefined);
    } catch (error) {
      if (signal.aborted) return ok(undefined);
      if (isServiceError(error)) return fail(failureAt(host, error));
      throw error;
    }
  });
}

async function elsewhere<Answer>(
  { address }: Elsewhere,
  credentials: ChannelCredentials,
  ask: (connection: Connection) => Promise<Answer>,
): Promise<Answer> {
  const connection = connect(address, credentials);
  try {
    return await ask(connection);
  } finally {
    connection.close();
  }
}

/** What another host refused is its own word; that it does not answer is told with its name. */
function failureAt({ name }: Elsewhere, error: ServiceError): Failure {
  const failure = failureOf(error);
  if (failure.reason !== 'SERVICE_UNAVAILABLE' && failure.reason !== 'CANCELLED') return failure;
  return {
    ...failure,
    reason: 'SERVICE_UNAVAILABLE',
    message: `vm-lifecycle of ${name}: ${failure.message}`,
  };
}

const noHost: Failure = {
  reason: 'INVALID_FIELD',
  message: `the request names no host: a name has 1 to ${bounds.nameLength} characters`,
  remedy: 'Give the name or the id of the host that is meant; flotilla host list shows them.',
  field: 'host',
};

function down(name: string): Failure {
  return {
    reason: 'HOST_UNREACHABLE',
    message: `${name} is down: it does not hold its lease`,
    remedy: `Bring it back, or ask its vm-lifecycle service itself: --pool ADDRESS:PORT of ${name}.`,
    resource: { type: 'host', name },
  };
}

function misdirected(host: string, named: string): Failure {
  return {
    reason: 'HOST_UNREACHABLE',
    message: `${host} answers where the pool has the address of host ${named}`,
    remedy: 'See flotilla host list: the host that is meant has not registered its address yet.',
  };
}
