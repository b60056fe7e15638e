import { randomBytes } from 'node:crypto';
import { Server } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { seededRandom } from '../../base/random.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Bytes } from '../../base/units.ts';
import { systemClock } from '../adapters/clock.ts';
import { peerBounds } from '../adapters/connections/guard.ts';
import { DiskLogStore } from '../adapters/disk/log-store.ts';
import { bindServer, shutDownServer } from '../adapters/etcd/bind.ts';
import { Capabilities } from '../adapters/etcd/capabilities.ts';
import { serveEtcd } from '../adapters/etcd/server.ts';
import { GrpcPeers } from '../adapters/peers/transport.ts';
import type { MemberId } from '../core/ids.ts';
import { defaultLimits } from '../driver/limits.ts';
import type { StoreReply } from '../kv/reply.ts';
import { Store } from '../kv/store.ts';
import { Node } from '../node.ts';
import type { ReplicaStatus } from '../replica.ts';
import type { MemberSettings } from '../settings.ts';
import { type Credentials, loadCredentials } from '../tls.ts';
import { type ProtocolVersions, protocolVersions } from '../versions.ts';
import { firstAddresses } from './begin.ts';
import { bindCertificates } from './bind-certificates.ts';
import { diskFailure } from './disk-failure.ts';
import { final, type StartFailure } from './failure.ts';
import { flagsProblem } from './flags-problem.ts';
import { identify } from './identify.ts';
import { listMembers } from './list-members.ts';
import { logStatus } from './log-status.ts';
import { peerEvents } from './peer-events.ts';
import type { Self } from './self.ts';
import { tellAddress } from './tell-address.ts';
import { untilRemoved } from './until-removed.ts';

/** A running member of the pool database. */
export interface Member {
  /** HOST:PORT of etcd's API, with the port that it really has. */
  readonly clientAddress: string;
  status(): ReplicaStatus;
  /** What its store is taken to occupy. */
  storeSize(): Bytes;
  /** What it has done since its start: commands that it applied, and calls of clients. */
  operations(): number;
  /** Resolves when a leader is known: from then on reads and writes are served. */
  readonly ready: Promise<void>;
  /** Resolves if this member cannot go on: it was removed, or its disk failed. Close it then. */
  readonly ended: Promise<StartFailure>;
  /** Ends calls and streams, and closes the log. What was proposed may yet take effect. */
  close(): Promise<void>;
}

/**
 * Starts a member on its data directory, which is made where there is none. `versions` is for
 * tests of a pool whose members are not of one version.
 */
export async function startMember(
  settings: MemberSettings,
  log: Logger,
  versions: ProtocolVersions = protocolVersions,
): Promise<Result<Member, StartFailure>> {
  const credentials = loadCredentials(settings.tls, log);
  if (!credentials.ok) return fail(final(credentials.error));
  const self = await identify(settings, credentials.value.channel, log);
  if (!self.ok) return self;
  const disk = await openDisk(settings, self.value);
  if (!disk.ok) return disk;
  return run(settings, self.value, credentials.value, disk.value, log, versions);
}

async function openDisk(
  { dataDir: directory, name, clusterToken: token }: MemberSettings,
  { pool: { pool }, member, configuration }: Self,
): Promise<Result<DiskLogStore, StartFailure>> {
  const identity = { pool, member, name, token };
  const disk = await DiskLogStore.open({ directory, identity, configuration });
  if (disk.ok) return disk;
  const { code, detail } = disk.error;
  return fail({ isFinal: code === 'foreign' || code === 'damaged', detail });
}

async function run(
  settings: MemberSettings,
  { pool: { pool, clusterId }, member }: Self,
  credentials: Credentials,
  disk: DiskLogStore,
  log: Logger,
  versions: ProtocolVersions,
): Promise<Result<Member, StartFailure>> {
  const address = settings.initialCluster.get(settings.name) ?? settings.listenPeer;
  const store = new Store();
  let running: Node<StoreReply> | null = null;
  const peers = new GrpcPeers({
    self: { pool, member, versions, address },
    addresses: firstAddresses(settings),
    credentials: credentials.channel,
    events: peerEvents(log),
    ...bindCertificates(
      settings,
      credentials.commonName,
      store,
      () => running?.status() ?? null,
      log,
    ),
  });
  const started = Node.start({
    id: member,
    store: disk,
    transport: peers,
    clock: systemClock,
    random: seededRandom(randomBytes(6).readUIntBE(0, 6)),
    machine: store,
    limits: defaultLimits,
  });
  if (!started.ok) {
    await disk.close();
    return fail(final(started.error));
  }
  const node = started.value;
  running = node;
  const problem = flagsProblem(settings, member, node.status().configuration);
  if (problem !== null) log.warn(problem);
  const peerServer = new Server();
  peers.serve(peerServer, () => listMembers(pool, node, store));
  const closeConsensus = async () => {
    peers.close();
    await shutDownServer(peerServer);
    await node.stop();
  };
  const onRefused = (port: 'clients' | 'members') => (reason: string, from: string) =>
    log.warn({ port, reason, from }, 'refused a connection: its certificate or its TLS');
  const versionOf = (other: MemberId) =>
    other === member ? versions.newest : peers.versionOf(other);
  const capabilities = new Capabilities(node, versionOf);
  let calls = 0;
  const scheme = settings.tls === null ? 'http' : 'https';
  const server = await serveEtcd({
    store,
    replica: node,
    clusterId,
    peerScheme: scheme,
    quota: settings.quota,
    versionOf,
    clock: systemClock,
    listen: settings.listenClient,
    credentials: credentials.server,
    name: settings.name,
    advertise: (bound) => `${scheme}://${settings.advertiseClient ?? bound}`,
    retainRevisions: settings.retainRevisions,
    foundation: settings.rights ?? null,
    onRefused: onRefused('clients'),
    onCall: () => {
      calls += 1;
    },
  });
  if (!server.ok) {
    await closeConsensus();
    return fail({ isFinal: false, detail: server.error });
  }
  const close = async () => {
    await server.value.close();
    await closeConsensus();
  };
  const bound = await bindServer(
    peerServer,
    settings.listenPeer,
    credentials.peerServer,
    peerBounds,
    onRefused('members'),
  );
  if (!bound.ok) {
    await close();
    return fail({ isFinal: false, detail: `for members: ${bound.error}` });
  }
  const stopLogging = logStatus(node, log);
  const ownDisk = diskFailure(node);
  const allSpeak = (version: number) => capabilities.allSpeak(version);
  const stopTelling = tellAddress(node, member, address, allSpeak, systemClock);
  const removal = untilRemoved(settings, { pool, member, address }, node, credentials.channel, log);
  return ok({
    clientAddress: server.value.address,
    status: () => node.status(),
    storeSize: () => store.size,
    operations: () => node.status().appliedIndex + calls,
    ready: knowsLeader(node),
    ended: Promise.race([removal.removed, ownDisk.failed]),
    close: async () => {
      removal.stop();
      stopTelling();
      stopLogging();
      ownDisk.stop();
      await close();
    },
  });
}

function knowsLeader<Reply>(node: Node<Reply>): Promise<void> {
  return new Promise((resolve) => {
    const look = ({ leader }: ReplicaStatus) => {
      if (leader === null) return;
      stop();
      resolve();
    };
    const stop = node.onStatus(look);
    look(node.status());
  });
}
