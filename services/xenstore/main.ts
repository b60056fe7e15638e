import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { fail, ok, type Result } from '../../base/result.ts';
import { openXenstoreHost } from '../../hypervisor/xen/index.ts';
import type { Failure } from '../../pool/failure.ts';
import type { RpcServer } from '../../pool/rpc/server.ts';
import { type Running, serviceCommand } from '../../pool/service-command.ts';
import { claimRings } from './adapters/claim-rings.ts';
import { processControl, traceName } from './adapters/control.ts';
import { Daemon } from './adapters/daemon.ts';
import { Journal } from './adapters/journal.ts';
import { quotaWarnings } from './adapters/quota-warnings.ts';
import { Trace } from './adapters/trace.ts';
import { isFree, serveUnixSocket } from './adapters/unix-socket.ts';
import {
  type Configuration,
  ConfigurationSchema,
  makePlaces,
  placesOf,
  xenstoredOptions,
} from './configuration.ts';

/** Linux has it in the control domain of a Xen host. */
const controlRing = '/proc/xen/xsd_kva';

/** `flotilla xenstored`. */
export function xenstoredCommand(): Command {
  return serviceCommand({
    name: 'xenstored',
    description:
      'Keep the xenstore of a host: on a Unix socket for local tools, on gRPC for services.',
    schema: ConfigurationSchema,
    options: xenstoredOptions,
    run: runXenstored,
  });
}

async function runXenstored(configuration: Configuration): Promise<Result<Running, Failure>> {
  const log = pino({ base: { service: 'xenstored' } });
  const warn = (message: string) => log.warn(message);
  const grpc = configuration.listen === undefined ? null : await grpcOf(configuration);
  if (grpc?.ok === false) return grpc;
  const places = placesOf(configuration);
  const free = await isFree(places.socket);
  if (!free.ok) return fail(cannotStart(free.error));
  const made = makePlaces(places);
  if (!made.ok) return fail(cannotStart(made.error));
  const { pidFile, takeOver = false } = configuration;
  const rings = await claimRings(
    {
      wanted: configuration.rings,
      ...{ pidFile, takeOver, warn },
      here: existsSync(controlRing),
      open: openXenstoreHost,
    },
    { onTrouble: (domain, trouble) => warn(`domain ${domain} ${trouble}`) },
  );
  if (!rings.ok) return fail(cannotStart(rings.error));
  const journal = Journal.open(places.data);
  if (!journal.ok) return fail(cannotStart(journal.error));
  const logs = join(places.data, 'logs');
  const trace = new Trace(join(logs, traceName), warn);
  const begun = Daemon.open(journal.value, {
    onTrouble: warn,
    trace,
    control: processControl({
      trace,
      logs,
      print: (text) => log.info({ text }, 'CONTROL print'),
      trouble: warn,
    }),
    onQuota: quotaWarnings(log),
    ...(rings.value === undefined ? {} : { rings: rings.value }),
  });
  if (!begun.ok) return fail(cannotStart(begun.error));
  const daemon = begun.value;
  const socket = await serveUnixSocket(daemon, places.socket, warn);
  if (!socket.ok) return fail(cannotStart(socket.error));
  const served = rings.value?.serve(daemon) ?? ok(undefined);
  if (!served.ok) return fail(cannotStart(served.error));
  const close = async () => {
    await socket.value.close();
    rings.value?.close();
    journal.value.close();
    trace.turnOff();
  };
  if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
  if (grpc === null) {
    log.info({ socket: places.socket, data: places.data }, 'serving');
    return ok({ close });
  }
  const server = await grpc.value(daemon);
  if (!server.ok) {
    await close();
    return server;
  }
  const { address } = server.value;
  log.info({ address, socket: places.socket, data: places.data }, 'serving');
  return ok({
    close: async () => {
      await server.value.close();
      await close();
    },
  });
}

/**
 * What serves gRPC. It is loaded only where it is asked for: half of the start-up and of the memory of
 * a xenstored are gRPC's.
 */
async function grpcOf(
  configuration: Configuration,
): Promise<Result<(daemon: Daemon) => Promise<Result<RpcServer, Failure>>, Failure>> {
  const { readCredentials } = await import('../../pool/identity/credentials.ts');
  const { serve } = await import('../../pool/rpc/server.ts');
  const { callersOf } = await import('./adapters/grpc/callers.ts');
  const { xenstoreService } = await import('./adapters/grpc.ts');
  const { tls, hostName, listen = '' } = configuration;
  const credentials = await readCredentials(tls);
  if (!credentials.ok) return credentials;
  return ok((daemon) =>
    serve({
      listen,
      credentials: credentials.value.server,
      services: [xenstoreService(daemon, callersOf(hostName))],
    }),
  );
}

function cannotStart(sentence: string): Failure {
  return { reason: 'XENSTORE', message: sentence, remedy: '' };
}
