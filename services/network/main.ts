import { join } from 'node:path';
import type { ServerCredentials } from '@grpc/grpc-js';
import type { Command } from 'commander';
import { pino } from 'pino';
import { fail, ok, type Result } from '../../base/result.ts';
import { servingChannel } from '../../base/serving.ts';
import { type Clock, systemClock } from '../../pool/clock.ts';
import { closeWithDatabase } from '../../pool/close-with-database.ts';
import { etcdDatabase } from '../../pool/etcd/database.ts';
import { credentialsForStore } from '../../pool/etcd/store-credentials.ts';
import type { Failure } from '../../pool/failure.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { openPool, type Pool } from '../../pool/pool.ts';
import { serve } from '../../pool/rpc/server.ts';
import { type Running, serviceCommand, unknownDomain } from '../../pool/service-command.ts';
import { ownDomain } from '../xenstore/client/index.ts';
import type { BridgeDriver } from './adapters/bridge/bridge-driver.ts';
import { linuxBridges } from './adapters/bridge/linux.ts';
import { type FirstNetworksSettings, makeFirstNetworks } from './adapters/first-networks.ts';
import { networkService } from './adapters/network-service.ts';
import { openPlugJournal } from './adapters/plug-journal.ts';
import { vifService } from './adapters/vif-service.ts';
import { forgetVanished, vifsOf } from './adapters/vifs.ts';
import {
  addNetwork,
  type NetworkConfiguration,
  NetworkConfigurationSchema,
} from './configuration.ts';

/** `flotilla network`. */
export function networkCommand(): Command {
  return serviceCommand({
    name: 'network',
    description: 'Keep the bridges of a host, and plug the interfaces of its domains into them.',
    schema: NetworkConfigurationSchema,
    options: (command) =>
      command
        .option('--driver <name>', 'bridge (Linux; the default) or simulated')
        .option(
          '--networks <name=bridge>',
          'a network to make at first; may be given several times',
          addNetwork,
        ),
    run: runNetwork,
  });
}

async function runNetwork(configuration: NetworkConfiguration): Promise<Result<Running, Failure>> {
  const credentials = await readCredentials(configuration.tls);
  if (!credentials.ok) return credentials;
  const { client, server } = credentials.value;
  const store = await credentialsForStore(configuration, client);
  if (!store.ok) return store;
  const driver = await driverOf(configuration);
  if (!driver.ok) return driver;
  const domain = await backendDomain(configuration);
  if (!domain.ok) return domain;
  const database = etcdDatabase({ endpoints: configuration.store, credentials: store.value });
  const log = pino({ base: { service: 'network' } });
  const started = await startNetwork(configuration, {
    pool: openPool(database),
    ...{ driver: driver.value, domain: domain.value },
    ...{ credentials: server, clock: systemClock, log },
  });
  if (!started.ok) {
    database.close();
    return started;
  }
  return ok({
    close: () => closeWithDatabase(database, systemClock, () => started.value.close()),
  });
}

/** Whose kernel has the bridges: pretended ones are for simulated domains, and have no kernel. */
async function backendDomain({ driver }: NetworkConfiguration): Promise<Result<number, Failure>> {
  if (driver === 'simulated') return ok(0);
  const domain = await ownDomain();
  return domain.ok ? domain : fail(unknownDomain('NETWORK', domain.error.message));
}

async function driverOf({
  driver,
  dataDir,
}: NetworkConfiguration): Promise<Result<BridgeDriver, Failure>> {
  switch (driver) {
    case 'bridge':
      return ok(linuxBridges(null));
    case 'simulated': {
      const { simulatedBridges } = await import('./adapters/bridge/simulated.ts');
      return simulatedBridges(join(dataDir, 'simulated-bridges.json'));
    }
  }
}

/** What the service stands on; tests bring their own. */
export interface NetworkSurroundings {
  readonly pool: Pool;
  readonly driver: BridgeDriver;
  /** Null: plain text. */
  readonly credentials: ServerCredentials | null;
  readonly clock: Clock;
  readonly log: FirstNetworksSettings['log'];
  /** The domain that this service runs in; 0 outside of guests. */
  readonly domain: number;
}

/** A network service at work. */
export interface RunningNetwork extends Running {
  /** HOST:PORT. */
  readonly address: string;
}

/** Reads what is plugged on this host, serves, and makes the first networks of the pool. */
export async function startNetwork(
  configuration: NetworkConfiguration,
  { pool, driver, credentials, clock, log, domain }: NetworkSurroundings,
): Promise<Result<RunningNetwork, Failure>> {
  const { listen, dataDir, networks } = configuration;
  const journal = await openPlugJournal(join(dataDir, 'vifs'));
  if (!journal.ok) return journal;
  const current = await forgetVanished({ journal: journal.value, driver });
  if (!current.ok) return current;
  const vifs = vifsOf({ pool, journal: journal.value, driver, clock });
  const server = await serve({
    ...{ listen, credentials, host: configuration.hostName },
    services: [networkService(pool, clock), vifService(vifs, domain)],
  });
  if (!server.ok) return server;
  const { address } = server.value;
  log.info({ address, domain, driver: configuration.driver }, 'serving');
  servingChannel.publish(null);
  const closing = new AbortController();
  const making = makeFirstNetworks({ pool, clock, log, signal: closing.signal }, networks);
  return ok({
    address,
    close: async () => {
      closing.abort();
      await server.value.close();
      await making;
    },
  });
}
