import { type Server, status as statusCode } from '@grpc/grpc-js';
import { Health, type HealthCheckResponse } from './gen/grpc.health.v1.ts';
import { addService } from './server.ts';

/**
 * Serves grpc.health.v1 for the server as a whole and for the services of the given names, all of which
 * serve or none. Returns what says whether they do; until it is called they don't.
 */
export function addHealth(
  server: Server,
  services: readonly string[],
): (isServing: boolean) => void {
  const names = new Set(['', ...services]);
  /** One for each stream that watches a name that there is: as many as streams that a server lets be open. */
  const watchers = new Set<() => void>();
  let serving = false;
  const answer = (): HealthCheckResponse => ({ status: serving ? 'SERVING' : 'NOT_SERVING' });
  addService(server, Health, {
    check: ({ request: { service } }, reply) => {
      if (names.has(service)) return reply(null, answer());
      const details = `there is no such service; those of this server are ${services.join(', ')}`;
      reply({ code: statusCode.NOT_FOUND, details });
    },
    list: (_call, reply) => {
      reply(null, { statuses: Object.fromEntries([...names].map((name) => [name, answer()])) });
    },
    watch: (call) => {
      if (!names.has(call.request.service)) {
        call.write({ status: 'SERVICE_UNKNOWN' });
        return;
      }
      const tell = () => call.write(answer());
      watchers.add(tell);
      for (const end of ['cancelled', 'close']) call.once(end, () => watchers.delete(tell));
      tell();
    },
  });
  return (isServing) => {
    if (isServing === serving) return;
    serving = isServing;
    for (const tell of watchers) tell();
  };
}
