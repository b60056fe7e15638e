import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { commonFields } from '../../pool/configuration.ts';
import type { Failure } from '../../pool/failure.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { serve } from '../../pool/rpc/server.ts';
import { type Running, serviceCommand } from '../../pool/service-command.ts';
import { Daemon } from './adapters/daemon.ts';
import { xenstoreService } from './adapters/grpc.ts';
import { Journal } from './adapters/journal.ts';
import { serveUnixSocket } from './adapters/unix-socket.ts';
import { Store } from './core/store.ts';

/** The longest path that a Unix socket can have on Linux, without the NUL (unix(7)). */
const socketPathMax = 107;

// It belongs to one host and needs nothing of the pool: `store` is accepted, as for every service.
const ConfigurationSchema = v.strictObject({
  ...commonFields,
  /** Where local tools connect; `$XENSTORED_PATH` tells them. Left out: `socket` in `dataDir`. */
  socket: v.optional(v.pipe(v.string(), v.maxLength(socketPathMax))),
});
type Configuration = v.InferOutput<typeof ConfigurationSchema>;

/** `flotilla xenstored`. */
export function xenstoredCommand(): Command {
  return serviceCommand({
    name: 'xenstored',
    description:
      'Keep the xenstore of a host: on a Unix socket for local tools, on gRPC for services.',
    schema: ConfigurationSchema,
    options: (command) =>
      command.option(
        '--socket <path>',
        'the Unix socket of local tools (default: socket in --data-dir)',
      ),
    run: runXenstored,
  });
}

async function runXenstored(configuration: Configuration): Promise<Result<Running, Failure>> {
  const log = pino({ base: { service: 'xenstored' } });
  const credentials = await readCredentials(configuration.tls);
  if (!credentials.ok) return credentials;
  const store = new Store();
  const journal = Journal.open(configuration.dataDir, store);
  if (!journal.ok) return fail(cannotStart(journal.error));
  const daemon = new Daemon(store, journal.value, {
    onQuota: (domain, quota) => log.warn({ domain, quota }, 'a domain exceeds its quota'),
  });
  const path = configuration.socket ?? join(configuration.dataDir, 'socket');
  const socket = await serveUnixSocket(daemon, path, (message) => log.warn(message));
  if (!socket.ok) return fail(cannotStart(socket.error));
  const server = await serve({
    listen: configuration.listen,
    credentials: credentials.value.server,
    services: [xenstoreService(daemon)],
  });
  if (!server.ok) {
    await socket.value.close();
    return server;
  }
  log.info({ address: server.value.address, socket: path }, 'serving');
  return ok({
    close: async () => {
      await server.value.close();
      await socket.value.close();
      journal.value.close();
    },
  });
}

function cannotStart(sentence: string): Failure {
  return { reason: 'XENSTORE', message: sentence, remedy: '' };
}
