import type { ServerCredentials } from '@grpc/grpc-js';
import type { Command } from 'commander';
import { pino } from 'pino';
import { fail, ok, type Result } from '../../base/result.ts';
import { servingChannel } from '../../base/serving.ts';
import { milliseconds } from '../../base/units.ts';
import { type Clock, systemClock } from '../../pool/clock.ts';
import { closeWithDatabase } from '../../pool/close-with-database.ts';
import { etcdDatabase } from '../../pool/etcd/database.ts';
import { credentialsForStore } from '../../pool/etcd/store-credentials.ts';
import type { Failure } from '../../pool/failure.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { type RunnerLog, runOperations } from '../../pool/operations/runner.ts';
import { openPool, type Pool } from '../../pool/pool.ts';
import { serve } from '../../pool/rpc/server.ts';
import { type Running, serviceCommand, unknownDomain } from '../../pool/service-command.ts';
import { ownDomain } from '../xenstore/client/index.ts';
import { directAccess } from './adapters/access/direct.ts';
import { loopAccess } from './adapters/access/loop.ts';
import { attachmentService } from './adapters/attachment-service.ts';
import { attachmentsOf } from './adapters/attachments.ts';
import { linuxBlkback } from './adapters/blkback/blkback.ts';
import { ownNodes } from './adapters/blkback/own-nodes.ts';
import { openRepositories, type Repositories, refresh } from './adapters/repositories.ts';
import { storageService } from './adapters/storage-service.ts';
import { vdiDrivers, vdiFinishes } from './adapters/vdi-steps.ts';
import { whenDatabaseAnswers } from './adapters/when-database-answers.ts';
import { addSr, type StorageConfiguration, StorageConfigurationSchema } from './configuration.ts';

/** How often the free space of this host's SRs is looked at, as guests fill their disks. */
const refreshPeriod = milliseconds(60_000);

/** `flotilla storage`. */
export function storageCommand(): Command {
  return serviceCommand({
    name: 'storage',
    description: 'Keep the disk images of a host, and hand them to its domains.',
    schema: StorageConfigurationSchema,
    options: (command) =>
      command
        .option('--srs <name=path>', 'an SR of this host; may be given several times', addSr)
        .option('--attach <how>', 'loop (Xen; the default) or file (simulated domains)'),
    run: runStorage,
  });
}

async function runStorage(configuration: StorageConfiguration): Promise<Result<Running, Failure>> {
  const credentials = await readCredentials(configuration.tls);
  if (!credentials.ok) return credentials;
  const { client, server } = credentials.value;
  const store = await credentialsForStore(configuration, client);
  if (!store.ok) return store;
  const domain = await backendDomain(configuration);
  if (!domain.ok) return domain;
  const blkback =
    domain.value === 0 ? null : linuxBlkback({ nodes: ownNodes(), clock: systemClock });
  const resumed = await blkback?.resume();
  if (resumed?.ok === false) return resumed;
  const database = etcdDatabase({ endpoints: configuration.store, credentials: store.value });
  const log = pino({ base: { service: 'storage' } });
  const surroundings: StorageSurroundings = {
    ...{ pool: openPool(database), credentials: server, clock: systemClock, log },
    domain: domain.value,
  };
  const started = await startStorage(configuration, surroundings);
  if (!started.ok) {
    database.close();
    return started;
  }
  return ok({
    close: () =>
      closeWithDatabase(database, systemClock, async () => {
        await started.value.close();
        if (blkback === null) return;
        const drained = await blkback.drain();
        if (drained.ok) log.info({ disks: drained.value }, 'let go of the disks of guests');
        else log.error({ failure: drained.error }, 'guests must be started again');
      }),
  });
}

/** Whose kernel serves what this service opens: files are for simulated domains, which have one. */
async function backendDomain({ attach }: StorageConfiguration): Promise<Result<number, Failure>> {
  if (attach === 'file') return ok(0);
  const domain = await ownDomain();
  return domain.ok ? domain : fail(unknownDomain('STORAGE', domain.error.message));
}

/** What the service stands on; tests bring their own. */
export interface StorageSurroundings {
  readonly pool: Pool;
  /** Null: plain text. */
  readonly credentials: ServerCredentials | null;
  readonly clock: Clock;
  readonly log: RunnerLog;
  /** The domain that this service runs in; 0 outside of guests. */
  readonly domain: number;
}

/** A storage service at work. */
export interface RunningStorage extends Running {
  /** HOST:PORT. */
  readonly address: string;
}

/** Opens this host's SRs, goes on with what an earlier run left unfinished, and serves. */
export async function startStorage(
  configuration: StorageConfiguration,
  surroundings: StorageSurroundings,
): Promise<Result<RunningStorage, Failure>> {
  const { hostId: host, listen, srs, attach } = configuration;
  const { pool, credentials, clock, log, domain } = surroundings;
  const opened = await whenDatabaseAnswers(surroundings, () => openRepositories(pool, host, srs));
  if (!opened.ok) return opened;
  const repositories = opened.value;
  const access = attach === 'loop' ? loopAccess(clock) : directAccess;
  const attachments = attachmentsOf({ pool, repositories, access });
  const server = await serve({
    ...{ listen, credentials, host: configuration.hostName },
    services: [storageService(pool, clock), attachmentService(attachments, domain)],
  });
  if (!server.ok) return server;
  const { address } = server.value;
  log.info({ address, domain, srs: [...repositories.keys()] }, 'serving');
  servingChannel.publish(null);
  const closing = new AbortController();
  const refreshing = keepRefreshed(configuration, surroundings, repositories, closing.signal);
  const runner = runOperations({
    ...{ pool, service: 'storage', host, log, clock },
    drivers: vdiDrivers(pool, repositories),
    finishes: vdiFinishes(pool),
    onEnd: refreshing.soon,
  });
  return ok({
    address,
    close: async () => {
      closing.abort();
      await server.value.close();
      await runner.close();
      await refreshing.ended;
    },
  });
}

/** Writes down how much room the SRs have: from time to time, and soon after `soon` is called. */
function keepRefreshed(
  { hostId }: StorageConfiguration,
  { pool, clock, log }: StorageSurroundings,
  repositories: Repositories,
  signal: AbortSignal,
): { readonly ended: Promise<void>; soon(): void } {
  let wake = new AbortController();
  const run = async () => {
    while (!signal.aborted) {
      await clock.sleep(refreshPeriod, AbortSignal.any([signal, wake.signal]));
      if (signal.aborted) return;
      wake = new AbortController();
      for (const repository of repositories.values()) {
        const done = await refresh(pool, hostId, repository);
        if (!done.ok) log.warn({ failure: done.error }, 'the room of an SR cannot be written down');
      }
    }
  };
  return { ended: run(), soon: () => wake.abort() };
}
