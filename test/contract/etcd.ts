import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
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

/** Starts a cluster, and resolves when it has a leader. */
export async function startEtcd(count: number): Promise<EtcdCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-etcd-'));
  const ports = await freePorts(2 * count);
  const addresses = Array.from({ length: count }, (_, index) => ({
    name: `m${index}`,
    client: `127.0.0.1:${ports[2 * index]}`,
    peer: `http://127.0.0.1:${ports[2 * index + 1]}`,
  }));
  const cluster = addresses.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const members = addresses.map(({ name, client, peer }) => {
    const args = [
      ...['--name', name, '--data-dir', join(directory, name), '--log-level', 'error'],
      ...['--listen-client-urls', `http://${client}`],
      ...['--advertise-client-urls', `http://${client}`],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
    ];
    const start = () => spawn('etcd', args, { stdio: 'ignore' });
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

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
