import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../../base/result.ts';
import { bytes, milliseconds } from '../../../base/units.ts';
import { Cluster, KV, Lease, Maintenance, Watch } from '../../../proto/gen/etcdserverpb.ts';
import { addReflection } from '../../../proto/reflection.ts';
import { addService } from '../../../proto/server.ts';
import { storeBounds } from '../../kv/bounds.ts';
import type { Clock } from '../../ports.ts';
import { clusterService } from './cluster-service.ts';
import { addHealth } from './health.ts';
import { kvService } from './kv-service.ts';
import { LeaderWatch } from './leader-watch.ts';
import { LeaseClock } from './lease-clock.ts';
import { leaseService } from './lease-service.ts';
import { maintenanceService } from './maintenance-service.ts';
import { EtcdMember, type EtcdParts } from './member.ts';
import { watchService } from './watch-service.ts';

/** What a message may have beside the request in it: etcd allows as much. */
const messageOverhead = bytes(512 * 2 ** 10);

/** Calls of one connection at a time: one Watch stream each for as many watchers, and some more. */
const streamsPerConnection = 20_000;

const services = [KV, Watch, Lease, Cluster, Maintenance];

const serverOptions = {
  'grpc.max_receive_message_length': storeBounds.requestSize + messageOverhead,
  // A Range without a limit answers with all it finds, as etcd does.
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': streamsPerConnection,
};

/** The API of one member on its client port. */
export interface EtcdServer {
  /** HOST:PORT as bound: with the port that was chosen where 0 was asked for. */
  readonly address: string;
  /** Ends all streams, answers what is under way, and closes the port. */
  close(): Promise<void>;
}

/** Serves etcd's API, grpc.health.v1 and reflection. The failure is a sentence for the operator. */
export async function serveEtcd(
  parts: EtcdParts & { readonly clock: Clock },
  address: string,
  credentials: ServerCredentials,
): Promise<Result<EtcdServer, string>> {
  const member = new EtcdMember(parts);
  const leader = new LeaderWatch(member);
  const leases = new LeaseClock(member, parts.clock);
  const watches = watchService(member, parts.clock, leader);
  const server = new Server(serverOptions);
  addService(server, KV, kvService(member));
  addService(server, Watch, watches.handlers);
  addService(server, Lease, leaseService(member, leases, leader));
  addService(server, Cluster, clusterService(member));
  addService(server, Maintenance, maintenanceService(member));
  addReflection(server, services);
  const stopHealth = addHealth(
    server,
    member,
    services.map((service) => service.name),
  );
  const stopAll = () => {
    stopHealth();
    leader.stop();
    watches.stop();
    leases.stop();
  };
  const bound = await bind(server, address, credentials);
  if (!bound.ok) {
    stopAll();
    return bound;
  }
  return ok({
    address: bound.value,
    close: () => {
      stopAll();
      return shutDown(server);
    },
  });
}

/** How long calls that are under way have to end, before they are cut off. */
const closeGrace = milliseconds(2000);

function bind(
  server: Server,
  address: string,
  credentials: ServerCredentials,
): Promise<Result<string, string>> {
  return new Promise((resolve) => {
    server.bindAsync(address, credentials, (error, port) => {
      const host = address.slice(0, address.lastIndexOf(':'));
      if (error === null) resolve(ok(`${host}:${port}`));
      else resolve(fail(`cannot listen for clients on ${address}: ${error.message}`));
    });
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), closeGrace);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
