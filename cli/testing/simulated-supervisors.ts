import { credentials } from '@grpc/grpc-js';
import { fail, ok } from '../../base/result.ts';
import type { Pool } from '../../pool/pool.ts';
import type { HostId } from '../../pool/records/identifiers.ts';
import { adaptStream, adaptUnary, type Stream, type Unary } from '../../pool/rpc/adapt.ts';
import { supervisorService } from '../../pool/service/supervisor-service.ts';
import type { KeptService } from '../../pool/supervision/host-supervisors.ts';
import type { Supervised } from '../../pool/supervision/messages.ts';
import type { Host, SupervisorService } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Handlers } from '../../proto/server.ts';

/** The supervisors of a simulated pool's hosts: the real service, over services that are only words. */
export interface SimulatedSupervisors {
  /** What each host's supervisors keep; tests change it as they like. */
  readonly kept: Map<string, readonly Supervised[]>;
  /** What comes before a service is looked for; tests let it hang. */
  look(): Promise<void>;
  /** What a restart of a service does; tests replace it. */
  restart(service: string, ...how: Parameters<KeptService['restart']>): RestartOutcome;
  /** SupervisorService as a host answers it. */
  handlersOf(pool: Pool, host: Host): Handlers<SupervisorService>;
}

type RestartOutcome = ReturnType<KeptService['restart']>;

/** On each host a vm-lifecycle process and two guests, of which `storage` does not start again. */
export function simulatedSupervisors(): SimulatedSupervisors {
  const never = new AbortController().signal;
  const supervisors: SimulatedSupervisors = {
    kept: new Map(),
    look: async () => undefined,
    restart: async (service, onProgress) => {
      onProgress(`${service} is asked to stop`);
      onProgress(`${service} is started`);
      if (service !== 'storage') return ok({ away: 1234, id: 7 });
      const message = 'storage is not started: its kernel is not the one that was signed';
      return fail({ reason: 'WRONG_STATE', message, remedy: 'Put the image right.' });
    },
    handlersOf: (pool, { id, name }) => {
      if (!supervisors.kept.has(name)) supervisors.kept.set(name, beginning);
      const ofHost = () => supervisors.kept.get(name) ?? [];
      const { handlers } = supervisorService({
        pool,
        host: { id: id as HostId, name },
        credentials: credentials.createInsecure(),
        supervisors: {
          list: async () => ok(ofHost()),
          find: async (named) => {
            await supervisors.look();
            const service = ofHost().find((each) => each.service === named);
            if (service !== undefined)
              return ok({ service, restart: (...how) => supervisors.restart(named, ...how) });
            const names = ofHost().map((each) => each.service);
            return fail({
              reason: 'NOT_FOUND',
              message: `no supervisor keeps ${named} for ${name}`,
              remedy: `Its services are ${names.join(', ')}.`,
            });
          },
        },
      });
      return {
        listServices: adaptUnary(handlers.listServices as Unary, never),
        restartService: adaptStream(handlers.restartService as Stream, never),
      } as Handlers<SupervisorService>;
    },
  };
  return supervisors;
}

const beginning: readonly Supervised[] = [
  { service: 'vm-lifecycle', kind: 'process', state: 'serving', id: 901, starts: 1, detail: '' },
  { service: 'consensus', kind: 'guest', state: 'serving', id: 3, starts: 2, detail: '' },
  {
    ...{ service: 'storage', kind: 'guest', state: 'refused', id: null, starts: 1 },
    detail: 'vmlinuz (kernel): expected another SHA-256',
  },
];
