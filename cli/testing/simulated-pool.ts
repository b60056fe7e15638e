import { Server, ServerCredentials } from '@grpc/grpc-js';
import { present } from '../../base/assert.ts';
import type { Pool } from '../../pool/pool.ts';
import {
  type Host,
  ImageService,
  PoolService,
  SupervisorService,
} from '../../proto/gen/flotilla.pool.v1.ts';
import { VmService } from '../../proto/gen/flotilla.vm.v1.ts';
import { addService } from '../../proto/server.ts';
import { simulatedConsoles } from './simulated-consoles.ts';
import { type SimulatedDatabase, simulatedDatabase } from './simulated-database.ts';
import { simulatedImages } from './simulated-images.ts';
import { simulatedOperations } from './simulated-operations.ts';
import {
  type SimulatedParts,
  simulatedPoolService,
  simulatedVmService,
} from './simulated-services.ts';
import { simulatedHost, simulatedState } from './simulated-state.ts';
import { type SimulatedSupervisors, simulatedSupervisors } from './simulated-supervisors.ts';

/** A pool in this process, for tests of the CLI: real gRPC servers over one state in memory. */
export interface SimulatedPool extends SimulatedParts {
  /** HOST:PORT of each host. */
  readonly addresses: readonly string[];
  readonly database: SimulatedDatabase;
  /** The records of what is answered by the real service: hosts, images, keys, measurements. */
  readonly records: Pool;
  readonly supervisors: SimulatedSupervisors;
  /** Cuts off every call to a host, and closes its port. */
  kill(index: number): void;
  /** A host that was killed serves again, at the same port. */
  revive(index: number): Promise<void>;
  close(): void;
}

/** Starts the servers of `host-1`, `host-2`, ... */
export async function simulatedPool(hosts = 1): Promise<SimulatedPool> {
  const state = simulatedState();
  const database = await simulatedDatabase(hosts);
  const parts: SimulatedParts = {
    state,
    operations: simulatedOperations(state),
    consoles: simulatedConsoles(),
    database,
  };
  const images = simulatedImages();
  const supervisors = simulatedSupervisors();
  const servers: Server[] = [];
  const addresses: string[] = [];
  const serve = async (index: number, host: Host, port: number): Promise<void> => {
    const server = new Server();
    addService(server, VmService, simulatedVmService(parts));
    addService(server, PoolService, simulatedPoolService(parts));
    addService(server, ImageService, images.handlers);
    addService(server, SupervisorService, supervisors.handlersOf(images.pool, host));
    addresses[index] = `127.0.0.1:${await bind(server, port)}`;
    servers[index] = server;
  };
  for (let index = 0; index < hosts; index += 1) {
    const host = simulatedHost(state, `host-${index + 1}`);
    state.put('host', host);
    await serve(index, host, 0);
    await images.addHost(host, addresses[index] ?? '');
  }
  return {
    ...parts,
    records: images.pool,
    supervisors,
    addresses,
    kill: (index) => servers[index]?.forceShutdown(),
    revive: async (index) => {
      const host = present(state.find('host', `host-${index + 1}`), 'a host that was killed');
      await serve(index, host, Number(addresses[index]?.split(':')[1]));
    },
    close: () => {
      for (const server of servers) server.forceShutdown();
      database.close();
      images.pool.database.close();
    },
  };
}

function bind(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}
