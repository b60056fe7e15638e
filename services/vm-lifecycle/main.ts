import { join } from 'node:path';
import type { Command } from 'commander';
import pino, { type Logger } from 'pino';
import { fail, ok, type Result } from '../../base/result.ts';
import { servingChannel } from '../../base/serving.ts';
import { milliseconds } from '../../base/units.ts';
import { connectHypervisor } from '../../hypervisor/connect.ts';
import type { Hypervisor, HypervisorInfo } from '../../hypervisor/port.ts';
import { systemClock } from '../../pool/clock.ts';
import { closeWithDatabase } from '../../pool/close-with-database.ts';
import { etcdDatabase } from '../../pool/etcd/database.ts';
import { credentialsForStore } from '../../pool/etcd/store-credentials.ts';
import { eventWriter } from '../../pool/events.ts';
import type { Failure } from '../../pool/failure.ts';
import { hostSession } from '../../pool/host-session.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { openPool } from '../../pool/pool.ts';
import { serve } from '../../pool/rpc/server.ts';
import { imageService } from '../../pool/service/image-service.ts';
import { poolService } from '../../pool/service/pool-service.ts';
import { supervisorService } from '../../pool/service/supervisor-service.ts';
import { type Running, serviceCommand } from '../../pool/service-command.ts';
import { hostSupervisors } from '../../pool/supervision/host-supervisors.ts';
import { connect } from '../../proto/client.ts';
import { consoleHub } from './adapters/console/hub.ts';
import { openDomainJournal } from './adapters/domain-journal.ts';
import type { Environment } from './adapters/environment.ts';
import { hypervisorFailure } from './adapters/failures.ts';
import { grpcNetwork } from './adapters/grpc-network.ts';
import { grpcStorage } from './adapters/grpc-storage.ts';
import { hostRecord } from './adapters/host-record.ts';
import { bootId, openGuestImages } from './adapters/images/guest-images.ts';
import { keepTakingOver } from './adapters/images/take-over.ts';
import { startLifecycle } from './adapters/lifecycle.ts';
import { Turns } from './adapters/turns.ts';
import { type VmLifecycleConfiguration, VmLifecycleSchema } from './configuration.ts';
import { measurementsFolder } from './service-guests/adapters/own-images.ts';

/** A hypervisor that starts together with this service is waited for this long, in all. */
const hypervisorPatience = milliseconds(60_000);
const hypervisorRetry = milliseconds(500);

/** `flotilla vm-lifecycle`. */
export function vmLifecycleCommand(): Command {
  return serviceCommand({
    name: 'vm-lifecycle',
    description: "run this host's VMs, and answer for all VMs and hosts of the pool",
    schema: VmLifecycleSchema,
    options: (command) =>
      command
        .option('--hypervisor <kind>', 'xen, or simulated:SOCKET', readHypervisor)
        .option('--services <json>', 'where the other services of this host answer', readJson)
        .option('--default-boot <json>', 'what VMs boot that name no kernel', readJson)
        .option('--pool-name <name>', 'the name of the pool'),
    run: runVmLifecycle,
  });
}

/** Starts the service; resolves when it serves. */
export async function runVmLifecycle(
  configuration: VmLifecycleConfiguration,
): Promise<Result<Running, Failure>> {
  const { hostId, hostName, listen, dataDir, services } = configuration;
  const log = pino().child({ service: 'vm-lifecycle', host: hostName });
  const credentials = await readCredentials(configuration.tls);
  if (!credentials.ok) return credentials;
  const { client } = credentials.value;
  const store = await credentialsForStore(configuration, client);
  if (!store.ok) return store;
  const journal = await openDomainJournal(join(dataDir, 'domains'));
  if (!journal.ok) return journal;
  const hypervisor = await connectHypervisor(configuration.hypervisor);
  const info = await awaitHypervisor(hypervisor, hostName, log);
  if (!info.ok) return abandon(hypervisor, info.error);

  const clock = systemClock;
  const database = etcdDatabase({ endpoints: configuration.store, credentials: store.value });
  const pool = openPool(database);
  const boot = await bootId();
  const images = await openGuestImages({
    host: { id: hostId, name: hostName },
    ...{ boot, dataDir, pool, clock, log },
  });
  if (!images.ok) {
    database.close();
    return abandon(hypervisor, images.error);
  }
  const storage = connect(services.storage, client);
  const network = connect(services.network, client);
  const consoles = consoleHub(hypervisor, log);
  const environment: Environment = {
    host: { id: hostId, name: hostName },
    pool,
    hypervisor,
    hypervisorKind: info.value.kind,
    storage: grpcStorage(storage),
    network: grpcNetwork(network),
    journal: journal.value,
    images: images.value,
    consoles,
    events: eventWriter(pool, clock),
    starts: new Turns(),
    defaultBoot: configuration.defaultBoot ?? null,
    clock,
    log,
  };
  const lifecycle = startLifecycle(environment, client);
  const takingOver = takeOverServiceGuests(configuration, environment, boot);
  const closeAll = async () => {
    await takingOver?.close();
    await lifecycle.close();
    await images.value.close();
    database.close();
    for (const connection of [storage, network]) connection.close();
    await hypervisor.close();
  };
  const server = await serve({
    ...{ listen, credentials: credentials.value.server, host: hostName },
    services: [
      lifecycle.mounted,
      poolService({ pool, name: configuration.poolName }),
      imageService({ pool, clock }),
      supervisorService({
        ...{ pool, host: environment.host, credentials: client },
        supervisors: hostSupervisors(hostName, configuration.supervisors),
      }),
    ],
  });
  if (!server.ok) {
    await closeAll();
    return server;
  }
  const session = hostSession({
    pool,
    clock,
    host: await hostRecord(environment, info.value, {
      ...services,
      'vm-lifecycle': services['vm-lifecycle'] ?? server.value.address,
    }),
    onState: (state) => log.info({ state }, 'the host is registered, or lost its lease'),
    onFailure: (failure) => log.warn({ failure }, 'the host cannot be registered'),
  });
  log.info({ address: server.value.address }, 'serving');
  servingChannel.publish(null);
  return ok({
    close: () =>
      closeWithDatabase(database, clock, async () => {
        await server.value.close();
        await session.close();
        await closeAll();
      }),
  });
}

/** What the host's service guests were measured belongs to what the pool knows of the host. */
function takeOverServiceGuests(
  { serviceGuestsDir, dataDir }: VmLifecycleConfiguration,
  { host, images, clock, log }: Environment,
  boot: string,
): { close(): Promise<void> } | null {
  if (serviceGuestsDir === undefined) return null;
  return keepTakingOver({
    folder: join(serviceGuestsDir, measurementsFolder),
    memory: join(dataDir, 'service-guests-taken-over.json'),
    host: host.id,
    ...{ boot, images, clock, log },
  });
}

async function awaitHypervisor(
  hypervisor: Hypervisor,
  host: string,
  log: Logger,
): Promise<Result<HypervisorInfo, Failure>> {
  const deadline = systemClock.now() + hypervisorPatience;
  for (;;) {
    const info = await hypervisor.info();
    if (info.ok) return info;
    if (systemClock.now() >= deadline) return fail(hypervisorFailure(host, info.error));
    log.info({ error: info.error }, 'waiting for the hypervisor');
    await systemClock.sleep(hypervisorRetry);
  }
}

async function abandon(hypervisor: Hypervisor, failure: Failure): Promise<Result<never, Failure>> {
  await hypervisor.close();
  return fail(failure);
}

function readHypervisor(text: string): unknown {
  const [kind, socket] = text.split(/:(.*)/s);
  return socket === undefined ? { kind } : { kind, socket };
}

/** What is not JSON is handed on as it is, for the schema to refuse with the field's name. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
