import { randomBytes } from 'node:crypto';
import { Server } from '@grpc/grpc-js';
import type { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { seededRandom } from '../base/random.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { systemClock } from './adapters/clock.ts';
import { DiskLogStore } from './adapters/disk/log-store.ts';
import { bindServer, shutDownServer } from './adapters/etcd/bind.ts';
import { serveEtcd } from './adapters/etcd/server.ts';
import type { PeerIdentity } from './adapters/peers/greeting.ts';
import { GrpcPeers } from './adapters/peers/transport.ts';
import { type Configuration, configurationOf } from './core/configuration.ts';
import { defaultLimits } from './driver/limits.ts';
import { type Flags, flagsCommand, settingsOf } from './flags.ts';
import { firstMemberId, poolIdentity } from './identity.ts';
import { Store } from './kv/store.ts';
import { Node } from './node.ts';
import type { MemberId, ReplicaStatus } from './replica.ts';
import type { MemberSettings } from './settings.ts';
import { listMembers } from './start/list-members.ts';
import { type Credentials, loadCredentials } from './tls.ts';
import { protocolVersions } from './versions.ts';

/** Exit codes: starting again would not help, or it might. */
const exitCodes = { configuration: 2, failure: 1 } as const;

/** A running member of the pool database. */
export interface Member {
  /** HOST:PORT of etcd's API, with the port that it really has. */
  readonly clientAddress: string;
  status(): ReplicaStatus;
  /** Resolves when a leader is known: from then on reads and writes are served. */
  readonly ready: Promise<void>;
  /** Ends calls and streams, and closes the log. What was proposed may yet take effect. */
  close(): Promise<void>;
}

/** Why a member did not start. `isFinal`: not before somebody changes something. */
export interface StartFailure {
  readonly isFinal: boolean;
  readonly detail: string;
}

/** Starts a member on its data directory, which is made where there is none. */
export async function startMember(
  settings: MemberSettings,
  log: Logger,
): Promise<Result<Member, StartFailure>> {
  const credentials = loadCredentials(settings.tls);
  if (!credentials.ok) return fail({ isFinal: true, detail: credentials.error });
  const identity = poolIdentity(settings.clusterToken, settings.initialCluster.keys());
  const ids = memberIds(settings);
  const self = firstMemberId(settings.clusterToken, settings.name);
  const disk = await DiskLogStore.open({
    directory: settings.dataDir,
    identity: { pool: identity.pool, member: self },
    configuration: firstConfiguration(settings, ids),
  });
  if (!disk.ok) {
    const { code, detail } = disk.error;
    return fail({ isFinal: code === 'foreign' || code === 'damaged', detail });
  }
  const address = settings.initialCluster.get(settings.name) ?? settings.listenPeer;
  const peers = connectPeers(
    { pool: identity.pool, member: self, versions: protocolVersions, address },
    credentials.value,
    log,
  );
  const peerServer = new Server();
  const store = new Store();
  const started = Node.start({
    id: self,
    store: disk.value,
    transport: peers,
    clock: systemClock,
    random: seededRandom(randomBytes(6).readUIntBE(0, 6)),
    machine: store,
    limits: defaultLimits,
  });
  if (!started.ok) {
    await disk.value.close();
    return fail({ isFinal: true, detail: started.error });
  }
  const node = started.value;
  peers.serve(peerServer, () => listMembers(identity.pool, node, store));
  const closeConsensus = async () => {
    peers.close();
    await shutDownServer(peerServer);
    await node.stop();
  };
  const scheme = settings.tls === null ? 'http' : 'https';
  const server = await serveEtcd({
    store,
    replica: node,
    clusterId: identity.clusterId,
    peerScheme: scheme,
    quota: settings.quota,
    versionOf: (member) => peers.versionOf(member),
    clock: systemClock,
    listen: settings.listenClient,
    credentials: credentials.value.server,
    name: settings.name,
    advertise: (bound) => `${scheme}://${settings.advertiseClient ?? bound}`,
    retainRevisions: settings.retainRevisions,
  });
  if (!server.ok) {
    await closeConsensus();
    return fail({ isFinal: false, detail: server.error });
  }
  const close = async () => {
    await server.value.close();
    await closeConsensus();
  };
  const bound = await bindServer(peerServer, settings.listenPeer, credentials.value.server);
  if (!bound.ok) {
    await close();
    return fail({ isFinal: false, detail: `for members: ${bound.error}` });
  }
  const stopLogging = logRoles(node, log);
  return ok({
    clientAddress: server.value.address,
    status: () => node.status(),
    ready: knowsLeader(node),
    close: async () => {
      stopLogging();
      await close();
    },
  });
}

function memberIds({ clusterToken, initialCluster }: MemberSettings): Map<string, MemberId> {
  const names = [...initialCluster.keys()];
  return new Map(names.map((name) => [name, firstMemberId(clusterToken, name)]));
}

function firstConfiguration(
  { initialCluster }: MemberSettings,
  ids: ReadonlyMap<string, MemberId>,
): Configuration {
  const addresses = [...ids].map(([name, member]) => ({
    member,
    peers: [initialCluster.get(name) ?? ''],
  }));
  return { ...configurationOf([...ids.values()]), addresses };
}

function connectPeers(self: PeerIdentity, credentials: Credentials, log: Logger): GrpcPeers {
  return new GrpcPeers({
    self,
    credentials: credentials.channel,
    events: {
      connected: (member) => log.info({ member }, 'connected'),
      disconnected: (member, reason) => log.warn({ member, reason }, 'disconnected'),
      refused: (reason) => log.warn({ reason }, 'refused a caller'),
    },
  });
}

function logRoles<Reply>(node: Node<Reply>, log: Logger): () => void {
  return node.onStatus(({ role, term, leader }) => log.info({ role, term, leader }, 'role'));
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

/** `flotilla consensus`: one member of the pool database as a process. */
export function consensusCommand(): Command {
  return flagsCommand().action(async (flags: Flags) => {
    const failure = await run(flags);
    if (failure === null) return;
    process.stderr.write(`error: ${failure.detail}\n`);
    process.exit(failure.isFinal ? exitCodes.configuration : exitCodes.failure);
  });
}

async function run(flags: Flags): Promise<StartFailure | null> {
  const settings = settingsOf(flags);
  if (!settings.ok) return { isFinal: true, detail: settings.error };
  const log = pino({ name: 'consensus', base: { member: settings.value.name } });
  const member = await startMember(settings.value, log);
  if (!member.ok) return member.error;
  let closing = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      void member.value.close().then(() => process.exit(0));
    });
  const { clientAddress } = member.value;
  log.info({ address: clientAddress, peers: settings.value.listenPeer }, 'serving');
  return null;
}
