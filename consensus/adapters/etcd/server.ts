import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { ok, type Result } from '../../../base/result.ts';
import { bytes } from '../../../base/units.ts';
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from '../../../proto/gen/etcdserverpb.ts';
import { addReflection } from '../../../proto/reflection.ts';
import type { Foundation } from '../../kv/auth/change.ts';
import { storeBounds } from '../../kv/bounds.ts';
import type { Clock } from '../../ports.ts';
import { clientBounds } from '../connections/guard.ts';
import type { OnRefused } from '../tls/refused-handshakes.ts';
import { keepAlarms } from './alarm-clerk.ts';
import { foundRights } from './auth/foundation.ts';
import { Guard } from './auth/guard.ts';
import { type EtcdServices, guardedServices } from './auth/guarded-services.ts';
import { authService } from './auth/service.ts';
import { bindServer, shutDownServer } from './bind.ts';
import { clusterService } from './cluster-service.ts';
import { describeMember } from './description.ts';
import { addHealth } from './health.ts';
import { keepHouse } from './housekeeping.ts';
import { kvService } from './kv-service.ts';
import { LeaderWatch } from './leader-watch.ts';
import { addBoundedService, addLeanService } from './lean-service.ts';
import { LeaseClock } from './lease-clock.ts';
import { leaseService } from './lease-service.ts';
import { maintenanceService } from './maintenance-service.ts';
import { EtcdMember, type EtcdParts } from './member.ts';
import { watchService } from './watch-service.ts';

/** What a message may have beside the request in it: etcd allows as much. */
const messageOverhead = bytes(512 * 2 ** 10);

/** Calls of one connection at a time: one Watch stream each for as many watchers, and some more. */
const streamsPerConnection = 20_000;

const services = [KV, Watch, Lease, Cluster, Maintenance, Auth];

const serverOptions = {
  'grpc.max_receive_message_length': storeBounds.requestSize + messageOverhead,
  // A Range without a limit answers with all it finds, as etcd does.
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': streamsPerConnection,
  // Its book-keeping of each call costs a tenth of a small call, and nobody asks for it.
  'grpc.enable_channelz': 0,
};

/** The API of one member on its client port. */
export interface EtcdServer {
  /** HOST:PORT as bound: with the port that was chosen where 0 was asked for. */
  readonly address: string;
  /** Ends all streams, answers what is under way, and closes the port. */
  close(): Promise<void>;
}

/** What a server is made of, and where it listens. */
export interface EtcdServerParts extends EtcdParts {
  readonly clock: Clock;
  /** HOST:PORT; port 0: any that is free. */
  readonly listen: string;
  readonly credentials: ServerCredentials;
  /** The name that the member tells clients. */
  readonly name: string;
  /** The address that it tells them, given the one that it listens on: `http://HOST:PORT`. */
  readonly advertise: (bound: string) => string;
  /** Revisions to keep at least; 0: all. */
  readonly retainRevisions: number;
  /**
   * Who may do what in a pool that has just begun: nothing is served before that is set up and
   * enforced. Null or left out: everybody may do everything until somebody changes that.
   */
  readonly foundation?: Foundation | null;
  /** Told of connections whose certificates are refused. */
  readonly onRefused?: OnRefused;
  /** Told of every call that a client begins. */
  readonly onCall?: () => void;
}

/** Serves etcd's API, grpc.health.v1 and reflection. The failure is a sentence for the operator. */
export async function serveEtcd(parts: EtcdServerParts): Promise<Result<EtcdServer, string>> {
  const member = new EtcdMember(parts);
  const leader = new LeaderWatch(member);
  const leases = new LeaseClock(member, parts.clock);
  const watches = watchService(member, parts.clock, leader);
  const server = new Server(serverOptions);
  const { foundation = null } = parts;
  const shared = { cluster: clusterService(member), maintenance: maintenanceService(member) };
  const servicesFor = (client: EtcdMember): EtcdServices => ({
    ...shared,
    kv: kvService(client),
    watch: watches.handlers(client),
    lease: leaseService(client, leases, leader),
    auth: authService(client),
  });
  const guarded = guardedServices(new Guard(member, servicesFor, foundation !== null));
  addLeanService(server, KV, guarded.kv);
  addLeanService(server, Watch, guarded.watch);
  addBoundedService(server, Lease, guarded.lease);
  addBoundedService(server, Cluster, guarded.cluster);
  addBoundedService(server, Maintenance, guarded.maintenance);
  addBoundedService(server, Auth, guarded.auth);
  addReflection(server, services);
  const stopHealth = addHealth(
    server,
    member,
    services.map((service) => service.name),
  );
  const stops = [
    stopHealth,
    () => leader.stop(),
    () => watches.stop(),
    () => leases.stop(),
    keepAlarms(member, parts.clock),
    keepHouse(member, parts.clock, parts.retainRevisions),
  ];
  if (foundation !== null) stops.push(foundRights(member, parts.clock, foundation));
  const stopAll = () => {
    for (const stop of stops) stop();
  };
  const bound = await bindServer(
    server,
    parts.listen,
    parts.credentials,
    clientBounds,
    parts.onRefused,
    parts.onCall,
  );
  if (!bound.ok) {
    stopAll();
    return bound;
  }
  const urls = [parts.advertise(bound.value)];
  stops.push(describeMember(member, parts.clock, parts.name, urls));
  return ok({
    address: bound.value,
    close: () => {
      stopAll();
      return shutDownServer(server);
    },
  });
}
