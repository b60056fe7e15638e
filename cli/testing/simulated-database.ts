import { createHash } from 'node:crypto';
import { type handleUnaryCall, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Input } from '../../proto/codec.ts';
import {
  type AlarmType,
  Cluster,
  KV,
  Maintenance,
  type Member,
} from '../../proto/gen/etcdserverpb.ts';
import { addService, type Handlers } from '../../proto/server.ts';

/** One member of a simulated pool database; tests change it as they like. */
export interface SimulatedMember {
  readonly id: bigint;
  name: string;
  peers: readonly string[];
  /** HOST:PORT; empty: it has not started. */
  address: string;
  learner: boolean;
  applied: number;
  size: number;
}

/** What etcd's API tells of a pool database, over real gRPC servers; nothing is replicated. */
export interface SimulatedDatabase {
  members: SimulatedMember[];
  /** The id of the leader; 0: there is none. */
  leader: bigint;
  alarms: { memberID: bigint; alarm: AlarmType }[];
  revision: number;
  compacted: number;
  /** What the next calls that change something are refused with, in order: etcd's words. */
  readonly refusals: { code: status; message: string }[];
  /** What a snapshot streams, in pieces, before its SHA-256; `broken`: that does not fit. */
  snapshot: { pieces: readonly string[]; broken: boolean };
  /** Lets snapshots come no further than their first piece, until the returned function is called. */
  holdSnapshots(): () => void;
  /** A member that was added begins to serve under that name. */
  begin(id: bigint, name: string): Promise<void>;
  /** Cuts off every call to a member, and closes its port. */
  kill(index: number): void;
  close(): void;
}

const newest = 1000;

/** Starts members `host-1`, `host-2`, ...; the first one leads. */
export async function simulatedDatabase(count: number): Promise<SimulatedDatabase> {
  const servers: Server[] = [];
  const gate: Gate = { held: Promise.resolve() };
  const database: SimulatedDatabase = {
    members: [],
    leader: 0xa1n,
    alarms: [],
    revision: 12_345,
    compacted: 0,
    refusals: [],
    snapshot: {
      pieces: ['{"pool":"5ea","term":3,"index":1000,"revision":12345}', '\nthe store'],
      broken: false,
    },
    holdSnapshots: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate.held = promise;
      return resolve;
    },
    begin: async (id, name) => {
      const member = needed(database, id);
      member.name = name;
      member.address = await serve(id);
    },
    kill: (index) => servers[index]?.forceShutdown(),
    close: () => {
      for (const server of servers) server.forceShutdown();
    },
  };
  const serve = async (id: bigint): Promise<string> => {
    const server = new Server();
    servers.push(server);
    addService(server, Cluster, clusterService(database));
    addService(server, Maintenance, maintenanceService(database, id, gate));
    addService(server, KV, kvService(database));
    return `127.0.0.1:${await bind(server)}`;
  };
  for (let index = 0; index < count; index += 1) {
    const id = BigInt(0xa1 + index * 0x11);
    database.members.push({
      id,
      name: `host-${index + 1}`,
      peers: [`http://10.0.0.${index + 1}:2380`],
      address: await serve(id),
      learner: false,
      applied: newest,
      size: 3 * 2 ** 20,
    });
  }
  return database;
}

function bind(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

/** Thrown by a handler to answer with etcd's words. */
class Refusal extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

const noLeader = [status.UNAVAILABLE, 'etcdserver: no leader'] as const;
const notFound = [status.NOT_FOUND, 'etcdserver: member not found'] as const;

function unary<Request, Response>(
  answer: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
  return (call, reply) => {
    try {
      reply(null, answer(call.request));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply({ code: error.code, details: error.message });
    }
  };
}

/** A change: refused where a test says so, and where nobody leads. */
function changing<Request, Response>(
  database: SimulatedDatabase,
  answer: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
  return unary((request: Request) => {
    const refusal = database.refusals.shift();
    if (refusal !== undefined) throw new Refusal(refusal.code, refusal.message);
    if (database.leader === 0n) throw new Refusal(...noLeader);
    return answer(request);
  });
}

function listed({ members }: SimulatedDatabase): Input<Member>[] {
  return members.map(({ id, name, peers, address, learner }) => ({
    ID: id,
    name,
    peerURLs: peers,
    clientURLs: address === '' ? [] : [`http://${address}`],
    isLearner: learner,
  }));
}

function needed({ members }: SimulatedDatabase, id: bigint): SimulatedMember {
  const found = members.find((member) => member.id === id);
  if (found === undefined) throw new Refusal(...notFound);
  return found;
}

function clusterService(database: SimulatedDatabase): Handlers<Cluster> {
  return {
    memberList: unary(() => {
      if (database.leader === 0n) throw new Refusal(...noLeader);
      return { members: listed(database) };
    }),
    memberAdd: changing(database, ({ peerURLs }) => {
      const id = 0xe5n;
      database.members.push({
        id,
        name: '',
        peers: peerURLs,
        address: '',
        learner: true,
        applied: 0,
        size: 0,
      });
      return { member: { ID: id, peerURLs, isLearner: true }, members: listed(database) };
    }),
    memberRemove: changing(database, ({ ID }) => {
      const gone = needed(database, ID);
      database.members = database.members.filter((member) => member !== gone);
      return { members: listed(database) };
    }),
    memberPromote: changing(database, ({ ID }) => {
      needed(database, ID).learner = false;
      return { members: listed(database) };
    }),
    memberUpdate: changing(database, ({ ID, peerURLs }) => {
      needed(database, ID).peers = peerURLs;
      return { members: listed(database) };
    }),
  };
}

/** What a snapshot waits for after its first piece. */
interface Gate {
  held: Promise<void>;
}

function maintenanceService(
  database: SimulatedDatabase,
  id: bigint,
  gate: Gate,
): Handlers<Maintenance> {
  return {
    status: unary(() => {
      const own = needed(database, id);
      return {
        header: { memberId: id, revision: BigInt(database.revision), raftTerm: 3n },
        version: '3.4.0',
        dbSize: BigInt(own.size),
        dbSizeInUse: BigInt(own.size),
        leader: database.leader,
        raftIndex: BigInt(own.applied),
        raftAppliedIndex: BigInt(own.applied),
        raftTerm: 3n,
        errors: [],
        isLearner: own.learner,
      };
    }),
    alarm: unary(({ action, memberID, alarm }) => {
      if (action === 'DEACTIVATE')
        database.alarms = database.alarms.filter(
          (each) => each.memberID !== memberID || each.alarm !== alarm,
        );
      return { alarms: database.alarms };
    }),
    defragment: unary(() => {
      needed(database, id).size = 2 ** 20;
      return {};
    }),
    moveLeader: changing(database, ({ targetID }) => {
      if (database.leader !== id)
        throw new Refusal(status.FAILED_PRECONDITION, 'etcdserver: not leader');
      database.leader = needed(database, targetID).id;
      return {};
    }),
    snapshot: async (call) => {
      const { pieces, broken } = database.snapshot;
      const hash = createHash('sha256');
      let left = pieces.reduce((sum, piece) => sum + piece.length, 32);
      for (const piece of pieces) {
        hash.update(piece);
        left -= piece.length;
        call.write({ remainingBytes: BigInt(left), blob: Buffer.from(piece) });
        await gate.held;
      }
      const digest = broken ? Buffer.alloc(32) : hash.digest();
      call.write({ remainingBytes: 0n, blob: digest });
      call.end();
    },
  };
}

function kvService(database: SimulatedDatabase): Handlers<KV> {
  return {
    compact: changing(database, ({ revision }) => {
      if (Number(revision) <= database.compacted)
        throw new Refusal(
          status.OUT_OF_RANGE,
          'etcdserver: mvcc: required revision has been compacted',
        );
      database.compacted = Number(revision);
      return {};
    }),
  };
}
