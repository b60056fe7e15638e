import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { fail, ok, type Result } from '../../base/result.ts';
import { servingChannel } from '../../base/serving.ts';
import { openXenstoreHost } from '../../hypervisor/xen/index.ts';
import type { Failure } from '../../pool/failure.ts';
import { type Running, serviceCommand } from '../../pool/service-command.ts';
import { claimRings } from './adapters/claim-rings.ts';
import { processControl, traceName } from './adapters/control.ts';
import { Daemon } from './adapters/daemon.ts';
import type { Xenstore } from './adapters/grpc/xenstore.ts';
import { Journal } from './adapters/journal.ts';
import {
  askForLiveUpdate,
  become,
  checkedState,
  handedOverVariable,
  LiveUpdate,
} from './adapters/live-update.ts';
import { quotaWarnings } from './adapters/quota-warnings.ts';
import { Trace } from './adapters/trace.ts';
import { kernelDevice } from './client/index.ts';
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
  const command = serviceCommand({
    name: 'xenstored',
    description:
      'Keep the xenstore of a host: on a Unix socket for local tools, on gRPC for services.',
    schema: ConfigurationSchema,
    options: xenstoredOptions,
    run: runXenstored,
  });
  // What these two ask for is done by a process that serves nobody.
  return command.hook('preAction', async () => {
    const { checkState, liveUpdate, socket, dataDir } = command.opts<OtherTasks>();
    if (checkState !== undefined) end(checkedState(checkState));
    if (liveUpdate === undefined) return;
    const program = liveUpdate === true ? null : resolve(liveUpdate);
    end(await askForLiveUpdate(placesOf({ socket, dataDir }).socket, program));
  });
}

/** What the command does besides serving. */
interface OtherTasks {
  readonly checkState?: string;
  readonly liveUpdate?: string | true;
  readonly socket?: string;
  readonly dataDir?: string;
}

function end(outcome: Result<void, string>): never {
  if (!outcome.ok) process.stderr.write(`${outcome.error}\n`);
  process.exit(outcome.ok ? 0 : 1);
}

async function runXenstored(configuration: Configuration): Promise<Result<Running, Failure>> {
  // A line is written at once: it has to be out before the process becomes another program.
  const log = pino({ base: { service: 'xenstored' } }, pino.destination({ dest: 1, sync: true }));
  const warn = (message: string) => log.warn(message);
  // Foreign functions are loaded by this, and are no part of what tells the usage.
  const [{ isFree, serveUnixSocket }, { Sockets }] = await Promise.all([
    import('./adapters/unix-socket.ts'),
    import('../../linux/sockets.ts'),
  ]);
  const places = placesOf(configuration);
  const handedOver = process.env[handedOverVariable] !== undefined;
  delete process.env[handedOverVariable];
  const free = handedOver ? ok(undefined) : await isFree(places.socket);
  if (!free.ok) return fail(cannotStart(free.error));
  const made = makePlaces(places);
  if (!made.ok) return fail(cannotStart(made.error));
  const { pidFile, takeOver = false, xenstoreDomain = false } = configuration;
  const claim = await claimRings(
    {
      wanted: xenstoreDomain || configuration.rings,
      ...{ pidFile, takeOver },
      here: existsSync(controlRing),
      open: () => openXenstoreHost(xenstoreDomain ? 'xenstore-domain' : 'control-domain'),
    },
    { onTrouble: (domain, trouble) => warn(`domain ${domain} ${trouble}`) },
  );
  if (!claim.ok) return fail(cannotStart(claim.error));
  if (claim.value.kind === 'elsewhere') {
    const { why } = claim.value;
    if (takeOver && configuration.listen !== undefined) return runGateway(configuration, why, log);
    warn(`the socket alone is served: ${why}`);
  }
  const rings = claim.value.kind === 'here' ? claim.value.rings : undefined;
  const journal = Journal.open(places.data);
  if (!journal.ok) return fail(cannotStart(journal.error));
  const logs = join(places.data, 'logs');
  const trace = new Trace(join(logs, traceName), warn);
  let update: LiveUpdate | null = null;
  const begun = Daemon.open(
    journal.value,
    {
      onTrouble: warn,
      trace,
      control: processControl({
        trace,
        logs,
        print: (text) => log.info({ text }, 'CONTROL print'),
        liveUpdate: async (words) => update?.control(words) ?? fail('EBUSY'),
        trouble: warn,
      }),
      onQuota: quotaWarnings(log),
      ...(rings === undefined ? {} : { rings }),
    },
    handedOver ? 'handed over' : 'alone',
  );
  if (!begun.ok) return fail(cannotStart(begun.error));
  const daemon = begun.value;
  const inherited = handedOver ? (journal.value.past.image?.listening ?? null) : null;
  const socket = await serveUnixSocket(daemon, places.socket, warn, inherited);
  if (!socket.ok) return fail(cannotStart(socket.error));
  update = new LiveUpdate({
    daemon,
    journal: journal.value,
    program: { script: process.argv[1] ?? '', parameters: process.argv.slice(2) },
    descriptors: () => ({
      listening: socket.value.descriptor,
      // Rings are bound anew: each is looked at then, whoever has signalled meanwhile.
      eventChannels: null,
    }),
    keepOpen: (descriptor) => new Sockets().keepAcrossExec(descriptor, true),
    become: (program) => {
      log.info(program, 'becoming another program');
      become(program);
    },
  });
  if (handedOver) daemon.goOn();
  const served = rings?.serve(daemon) ?? ok(undefined);
  if (!served.ok) return fail(cannotStart(served.error));
  const close = async () => {
    socket.value.close();
    rings?.close();
    journal.value.close();
    trace.turnOff();
  };
  if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
  const server = await serveGrpc(configuration, ({ localXenstore }) => localXenstore(daemon));
  if (!server.ok) {
    await close();
    return server;
  }
  const address = server.value?.address;
  log.info({ address, socket: places.socket, data: places.data }, 'serving');
  servingChannel.publish(null);
  return ok({
    close: async () => {
      await server.value?.close();
      await close();
    },
  });
}

/**
 * Passes on what is asked by gRPC to the xenstore that another process or domain keeps for this host,
 * through the kernel. It has no store, and so no socket: there is nothing that could be asked otherwise.
 */
async function runGateway(
  configuration: Configuration,
  why: string,
  log: Logger,
): Promise<Result<Running, Failure>> {
  log.info(`gRPC is a gateway to the xenstore of this host, and no socket is served: ${why}`);
  const server = await serveGrpc(configuration, ({ gatewayTo }) => gatewayTo(kernelDevice()));
  if (!server.ok) return server;
  log.info({ address: server.value?.address, gateway: true }, 'serving');
  servingChannel.publish(null);
  return ok({ close: async () => server.value?.close() });
}

/** Serves gRPC where that is wanted. It is loaded last: local clients wait for what is before. */
async function serveGrpc(
  { listen, tls, hostName }: Configuration,
  xenstoreOf: (grpc: typeof import('./adapters/grpc.ts')) => Xenstore,
) {
  if (listen === undefined) return ok(null);
  const [{ readCredentials }, { serve }, grpc] = await Promise.all([
    import('../../pool/identity/credentials.ts'),
    import('../../pool/rpc/server.ts'),
    import('./adapters/grpc.ts'),
  ]);
  const credentials = await readCredentials(tls);
  if (!credentials.ok) return credentials;
  const xenstore = xenstoreOf(grpc);
  const server = await serve({
    ...{ listen, credentials: credentials.value.server },
    ...(hostName === undefined ? {} : { host: hostName }),
    services: [grpc.xenstoreService(xenstore)],
  });
  if (!server.ok) return server;
  const close = async () => {
    await server.value.close();
    xenstore.close();
  };
  return ok({ address: server.value.address, close });
}

function cannotStart(sentence: string): Failure {
  return { reason: 'XENSTORE', message: sentence, remedy: '' };
}
