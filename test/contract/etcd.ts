import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { KV } from '../../proto/gen/etcdserverpb.ts';

/** Whether this machine has an etcd (Debian: `apt-get install etcd-server`). */
export const hasEtcd = spawnSync('etcd', ['--version']).status === 0;

/** One member of a real etcd cluster on loopback. */
export interface EtcdMember {
  readonly endpoint: string;
  /** Ends the process as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again on what it has on its disk. */
  restart(): Promise<void>;
}

/** A real etcd cluster, for contract tests. */
export interface EtcdCluster {
  readonly members: readonly EtcdMember[];
  close(): Promise<void>;
}

/** Which program serves: Debian's etcd, or this project's `flotilla consensus`. */
export type EtcdKind = 'etcd' | 'consensus';

/** Starts a cluster, and resolves when it has a leader. */
export async function startEtcd(kind: EtcdKind, count: number): Promise<EtcdCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-etcd-'));
  const ports = await freePorts(2 * count);
  const addresses = Array.from({ length: count }, (_, index) => ({
    name: `m${index}`,
    client: `127.0.0.1:${ports[2 * index]}`,
    peer: `127.0.0.1:${ports[2 * index + 1]}`,
    dataDir: join(directory, `m${index}`),
  }));
  const members = addresses.map((address) => {
    const start = () => spawnMember(kind, address, addresses);
    const { client } = address;
    let running = start();
    return {
      endpoint: client,
      kill: () => kill(running),
      restart: async () => {
        running = start();
        await answering(client);
      },
    };
  });
  await Promise.all(members.map(({ endpoint }) => answering(endpoint)));
  return {
    members,
    close: async () => {
      await Promise.all(members.map((member) => member.kill()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Address {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
  readonly dataDir: string;
}

function spawnMember(kind: EtcdKind, own: Address, all: readonly Address[]): ChildProcess {
  const { name, client, peer, dataDir } = own;
  const listed = (scheme: string) => all.map((one) => `${one.name}=${scheme}${one.peer}`).join(',');
  const common = ['--name', name, '--data-dir', dataDir];
  switch (kind) {
    case 'etcd': {
      const urls = [
        ...[
          '--listen-client-urls',
          `http://${client}`,
          '--advertise-client-urls',
          `http://${client}`,
        ],
        ...['--listen-peer-urls', `http://${peer}`],
        ...['--initial-advertise-peer-urls', `http://${peer}`],
        ...['--initial-cluster', listed('http://'), '--log-level', 'error'],
      ];
      return spawn('etcd', [...common, ...urls], { stdio: 'ignore' });
    }
    case 'consensus': {
      const main = join(import.meta.dirname, '../../main.ts');
      const addresses = ['--listen-client', client, '--listen-peer', peer, '--insecure'];
      const args = [main, 'consensus', ...common, ...addresses, '--initial-cluster', listed('')];
      return spawn(process.execPath, args, { stdio: 'ignore' });
    }
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function answering(endpoint: string): Promise<void> {
  const options = { 'grpc.max_reconnect_backoff_ms': 200 };
  const connection = connect(endpoint, credentials.createInsecure(), options);
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const read = await connection
      .client(KV)
      .range({ key: Buffer.from('x') }, { timeout: milliseconds(1_000) });
    if (read.ok) return connection.close();
    await delay(100);
  }
  throw new Error(`etcd does not answer on ${endpoint}`);
}

/** Below what Linux gives to outgoing connections: a port stays free while its member is away. */
const [lowest, highest] = [10_000, 32_000];

/** Ports of loopback that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(lowest, highest);
    const server = createServer();
    if (!(await listensOn(server, port))) continue;
    servers.push(server);
    ports.push(port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listensOn(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}
