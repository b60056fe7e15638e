import type { ChannelCredentials } from '@grpc/grpc-js';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import {
  type RestartServiceResponse,
  type SupervisedService,
  SupervisorService,
} from '../../proto/gen/flotilla.pool.v1.ts';
import type { Failure } from '../failure.ts';
import type { Pool } from '../pool.ts';
import type { HostId } from '../records/identifiers.ts';
import { type Mounted, mount, type StreamCall } from '../rpc/handler.ts';
import type { HostSupervisors, KeptService } from '../supervision/host-supervisors.ts';
import { isSupervisedName, type Supervised } from '../supervision/messages.ts';
import { listElsewhere, placeOf, restartElsewhere } from './supervisor-elsewhere.ts';

/**
 * Restarts that a host lets wait at once. A supervisor takes 16 connections, and those who ask on the host
 * itself are not to find all of them taken.
 */
const restartsMax = 8;

/** Words of progress that wait for a slow reader; what comes while there are more is not told. */
const progressBacklog = 64;

/** What the service answers with. */
export interface SupervisorServiceSettings {
  readonly pool: Pool;
  /** The host that it is on, and this host's supervisors. */
  readonly host: { readonly id: HostId; readonly name: string };
  readonly supervisors: HostSupervisors;
  /** What it shows to the same service of other hosts. */
  readonly credentials: ChannelCredentials;
}

/** flotilla.pool.v1.SupervisorService; every host's vm-lifecycle service mounts it. */
export function supervisorService(settings: SupervisorServiceSettings): Mounted {
  const { host, supervisors, credentials } = settings;
  let restarts = 0;
  return mount(SupervisorService, {
    listServices: async (request) => {
      const place = await placeOf(settings, request);
      if (!place.ok) return place;
      if (place.value !== null) return listElsewhere(place.value, credentials);
      const services = await supervisors.list();
      if (!services.ok) return services;
      return ok({ host: host.name, services: services.value.map(serviceMessage) });
    },
    restartService: async (request, call) => {
      const { service } = request;
      if (!isSupervisedName(service)) return fail(noName(service));
      const place = await placeOf(settings, request);
      if (!place.ok) return place;
      if (place.value !== null) return restartElsewhere(place.value, service, credentials, call);
      if (restarts >= restartsMax) return fail(tooMany(host.name));
      restarts += 1;
      try {
        const kept = await supervisors.find(service);
        return kept.ok ? await restartHere(host.name, kept.value, call) : kept;
      } finally {
        restarts -= 1;
      }
    },
  });
}

async function restartHere(
  host: string,
  { service, restart }: KeptService,
  call: StreamCall<RestartServiceResponse>,
): Promise<Result<void, Failure>> {
  await call.send({ accepted: { host, service: serviceMessage(service) } });
  if (call.signal.aborted) return ok(undefined);
  let waiting = 0;
  const onProgress = async (progress: string): Promise<void> => {
    if (waiting >= progressBacklog) return;
    waiting += 1;
    await call.send({ progress });
    waiting -= 1;
  };
  const restarted = await restart((text) => void onProgress(text), call.signal);
  if (!restarted.ok) return restarted;
  if (restarted.value === null) return ok(undefined);
  const { away, id } = restarted.value;
  await call.send({ restarted: { awayMilliseconds: Math.round(away), id: id ?? 0 } });
  return ok(undefined);
}

function serviceMessage(service: Supervised): Input<SupervisedService> {
  const { kind, id, ...same } = service;
  return {
    ...same,
    form: kind === 'guest' ? 'SERVICE_FORM_GUEST' : 'SERVICE_FORM_PROCESS',
    id: id ?? 0,
  };
}

function noName(service: string): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `"${service.slice(0, bounds.nameLength)}" is not the name of a service`,
    remedy: 'Name one that ListServices shows, such as storage.',
    field: 'service',
  };
}

function tooMany(host: string): Failure {
  return {
    reason: 'LIMIT',
    message: `${restartsMax} restarts of services of ${host} are waited for already`,
    remedy: 'Wait until one of them has ended.',
  };
}
