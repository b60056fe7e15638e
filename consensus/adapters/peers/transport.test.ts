import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChannelCredentials, Server, ServerCredentials } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { seededRandom } from '../../../base/random.ts';
import { ok, type Result } from '../../../base/result.ts';
import { type Configuration, configurationOf } from '../../core/configuration.ts';
import { type LogIndex, logIndex, type MemberId, memberId, term } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import { defaultLimits } from '../../driver/limits.ts';
import { Node } from '../../node.ts';
import type { ReplicaStatus, StateMachine } from '../../replica.ts';
import { protocolVersions } from '../../versions.ts';
import { systemClock } from '../clock.ts';
import { DiskLogStore } from '../disk/log-store.ts';
import { GrpcPeers, type PeerEvents } from './transport.ts';

/** Counts commands, and remembers the last. */
class Counter implements StateMachine<string> {
  text = '';

  apply(index: LogIndex, command: Uint8Array): string {
    this.text += Buffer.from(command).toString();
    return `${index}`;
  }

  snapshot(): Iterable<Uint8Array> {
    return [Buffer.from(this.text)];
  }

  restore(chunks: Iterable<Uint8Array>): Result<void, string> {
    this.text = Buffer.concat([...chunks]).toString();
    return ok(undefined);
  }
}

interface Running {
  readonly node: Node<string>;
  readonly machine: Counter;
  stop(): Promise<void>;
}

/** Members that vote, and where each listens. */
function pairing(addresses: ReadonlyMap<MemberId, string>): Configuration {
  const list = [...addresses].map(([member, address]) => ({ member, peers: [address] }));
  return { ...configurationOf([...addresses.keys()]), addresses: list };
}

async function listen(server: Server, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

const quiet: PeerEvents = {
  connected: () => {},
  disconnected: () => {},
  refused: () => {},
  contradicted: () => {},
};

async function start(
  id: MemberId,
  directory: string,
  addresses: ReadonlyMap<MemberId, string>,
): Promise<Running> {
  const pool = 'test';
  const store = await DiskLogStore.open({
    directory: join(directory, `${id}`),
    identity: { pool, member: id },
    configuration: pairing(addresses),
  });
  if (!store.ok) throw new Error(store.error.detail);
  const credentials = ChannelCredentials.createInsecure();
  const address = addresses.get(id) ?? '';
  const self = { pool, member: id, versions: protocolVersions, address };
  const peers = new GrpcPeers({ self, addresses: new Map(), credentials, events: quiet });
  const server = new Server();
  peers.serve(server, async () => ({ pool: self.pool }));
  await listen(server, addresses.get(id) ?? '');
  const machine = new Counter();
  const node = Node.start({
    id,
    store: store.value,
    transport: peers,
    clock: systemClock,
    random: seededRandom(id),
    machine,
    limits: defaultLimits,
  });
  if (!node.ok) throw new Error(node.error);
  const stop = async (): Promise<void> => {
    peers.close();
    server.forceShutdown();
    await node.value.stop();
  };
  return { node: node.value, machine, stop };
}

function until(running: Running, holds: (status: ReplicaStatus) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = (status: ReplicaStatus): void => {
      if (!holds(status)) return;
      stop();
      resolve();
    };
    const stop = running.node.onStatus(check);
    check(running.node.status());
  });
}

async function cluster(
  t: ExecutionContext,
): Promise<{ directory: string; addresses: ReadonlyMap<MemberId, string> }> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-peers-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const address = (id: number): [MemberId, string] => [
    memberId(id),
    `unix:${join(directory, `peer-${id}.sock`)}`,
  ];
  return { directory, addresses: new Map([1, 2, 3].map(address)) };
}

async function proposeUntilTaken(member: Running, text: string): Promise<void> {
  for (;;) {
    const result = await member.node.propose(Buffer.from(text));
    if (result.ok) return;
    if (result.error.code !== 'no-leader') throw new Error(result.error.detail);
    await until(member, ({ leader }) => leader !== null);
  }
}

test('three members over gRPC, on disk, survive the loss of the leader and a full restart', async (t) => {
  const { directory, addresses } = await cluster(t);
  const ids = [...addresses.keys()];
  let members = await Promise.all(ids.map((id) => start(id, directory, addresses)));
  await Promise.all(members.map((member) => until(member, ({ leader }) => leader !== null)));
  for (const member of members) await proposeUntilTaken(member, `${ids[members.indexOf(member)]}`);

  const leader = members[0]?.node.status().leader ?? 0;
  await members[leader - 1]?.stop();
  const rest = members.filter((_, i) => i !== leader - 1);
  await Promise.all(
    rest.map((member) => until(member, (s) => s.leader !== null && s.leader !== leader)),
  );
  for (const member of rest) await proposeUntilTaken(member, 'x');
  await Promise.all(rest.map((member) => member.stop()));

  members = await Promise.all(ids.map((id) => start(id, directory, addresses)));
  await Promise.all(members.map((member) => until(member, (status) => status.leader !== null)));
  for (const member of members) {
    t.deepEqual(await member.node.readBarrier(), ok(undefined));
    t.is(member.machine.text, '123xx');
  }
  await Promise.all(members.map((member) => member.stop()));
});

function ping(from: MemberId, to: MemberId): Message {
  return {
    from,
    to,
    term: term(1),
    kind: 'heartbeat',
    commit: logIndex(0),
    match: logIndex(0),
    round: 0,
  };
}

test('members of another pool, and wrong addresses, are refused with a sentence', async (t) => {
  const { addresses } = await cluster(t);
  const address = addresses.get(memberId(1)) ?? '';
  const credentials = ChannelCredentials.createInsecure();
  const self = { pool: 'ours', member: memberId(1), versions: protocolVersions, address };
  const server = new Server();
  const peers = new GrpcPeers({ self, addresses: new Map(), credentials, events: quiet });
  const received: Message[] = [];
  peers.attach({
    receive: (messages) => received.push(...messages),
    unreachable: () => {},
  });
  peers.serve(server, async () => ({ pool: self.pool }));
  await listen(server, address);

  const refusal = (pool: string, member: number, to: number): Promise<string> =>
    new Promise((resolve) => {
      const stranger = new GrpcPeers({
        self: { pool, member: memberId(member), versions: protocolVersions, address: '' },
        addresses: new Map(),
        credentials,
        events: {
          ...quiet,
          disconnected: (_, reason) => {
            stranger.close();
            resolve(reason);
          },
        },
      });
      stranger.attach({ receive: () => {}, unreachable: () => {} });
      stranger.configure(pairing(new Map([[memberId(to), address]])), logIndex(0));
      stranger.send([ping(memberId(member), memberId(to))]);
    });
  t.regex(await refusal('theirs', 2, 1), /belongs to the pool theirs, member 1 to ours/);
  t.regex(await refusal('ours', 2, 3), /this address is member 1, not 3/);
  t.regex(await refusal('ours', 3, 4), /check the addresses/);
  t.deepEqual(received, []);
  peers.close();
  server.forceShutdown();
});

test('of a caller that is no member nothing is kept once it is gone', async (t) => {
  const { addresses } = await cluster(t);
  const address = addresses.get(memberId(1)) ?? '';
  const credentials = ChannelCredentials.createInsecure();
  const versions = protocolVersions;
  const server = new Server();
  const peers = new GrpcPeers({
    ...{ addresses: new Map(), credentials, events: quiet },
    self: { pool: 'ours', member: memberId(1), versions, address },
  });
  peers.attach({ receive: () => {}, unreachable: () => {} });
  peers.serve(server, async () => ({ pool: 'ours' }));
  await listen(server, address);
  const caller = new GrpcPeers({
    ...{ addresses: new Map([[memberId(1), address]]), credentials, events: quiet },
    self: { pool: 'ours', member: memberId(7), versions, address: '' },
  });
  const knows = async (version: number | null) => {
    while (peers.versionOf(memberId(7)) !== version) await delay(5);
  };
  caller.attach({ receive: () => {}, unreachable: () => {} });
  caller.configure(configurationOf([memberId(1)]), logIndex(0));
  await knows(versions.newest);
  caller.close();
  await knows(null);
  peers.close();
  server.forceShutdown();
  t.pass();
});

test('who says what cannot be is told so, its stream ends, and it may call again', async (t) => {
  const { addresses } = await cluster(t);
  const address = addresses.get(memberId(1)) ?? '';
  const credentials = ChannelCredentials.createInsecure();
  const server = new Server();
  const told: string[] = [];
  const peers = new GrpcPeers({
    ...{ addresses: new Map(), credentials },
    events: { ...quiet, contradicted: (member, reason) => told.push(`${member}: ${reason}`) },
    self: { pool: 'ours', member: memberId(1), versions: protocolVersions, address },
  });
  peers.attach({ receive: () => {}, unreachable: () => {} });
  peers.serve(server, async () => ({ pool: 'ours' }));
  await listen(server, address);
  const happened: string[] = [];
  const caller = new GrpcPeers({
    ...{ addresses: new Map([[memberId(1), address]]), credentials },
    events: {
      ...quiet,
      connected: () => happened.push('connected'),
      disconnected: (_, reason) => happened.push(reason),
    },
    self: { pool: 'ours', member: memberId(7), versions: protocolVersions, address: '' },
  });
  caller.attach({ receive: () => {}, unreachable: () => {} });
  caller.configure(configurationOf([memberId(1)]), logIndex(0));
  const until = async (count: number) => {
    while (happened.length < count) await delay(5);
  };
  await until(1);
  peers.refuse(memberId(8), 'somebody else');
  peers.refuse(memberId(7), 'it leads a term that another one leads');
  await until(3);
  t.deepEqual(told, ['8: somebody else', '7: it leads a term that another one leads']);
  t.regex(happened[1] ?? '', /FAILED_PRECONDITION: it leads a term that another one leads/);
  t.deepEqual([happened[0], happened[2]], ['connected', 'connected']);
  caller.close();
  peers.close();
  server.forceShutdown();
});
