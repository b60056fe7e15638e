import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { bytes, milliseconds } from '../../base/units.ts';
import type { TlsFiles } from '../../consensus/settings.ts';
import { startMember } from '../../consensus/start/member.ts';
import { TestAuthority } from '../fixtures/test-authority.ts';
import { freePorts } from './etcd.ts';
import { PoolDatabaseClient } from './pool-database-client.ts';

/** A pool database that asks its clients for certificates. */
export interface AccessEngine {
  /** A client that shows a certificate of this common name, of the same CA. */
  as(name: string): Promise<PoolDatabaseClient>;
  close(): Promise<void>;
}

/** Starts one member, of etcd or of the built-in pool database, with mutual TLS for its clients. */
export async function startAccessEngine(kind: 'etcd' | 'consensus'): Promise<AccessEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-access-'));
  const authority = await TestAuthority.make();
  const tls = await authority.files(directory, 'm0/consensus');
  const [client = 0, peer = 0] = await freePorts(2);
  const stop = await (kind === 'etcd' ? startEtcd : startOwn)(directory, tls, client, peer);
  const clients: PoolDatabaseClient[] = [];
  const as = async (name: string) => {
    const made = new PoolDatabaseClient(`127.0.0.1:${client}`, await authority.channel(name));
    clients.push(made);
    return made;
  };
  const anybody = await as('anybody');
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if ((await anybody.cluster.memberList({}, { timeout: milliseconds(1000) })).ok) break;
    await delay(100);
  }
  return {
    as,
    close: async () => {
      for (const each of clients) each.close();
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

type Start = (
  directory: string,
  tls: TlsFiles,
  client: number,
  peer: number,
) => Promise<() => Promise<void>>;

const startEtcd: Start = async (directory, tls, client, peer) => {
  const url = (port: number) => `http://127.0.0.1:${port}`;
  const child: ChildProcess = spawn(
    'etcd',
    [
      ...['--name', 'm0', '--data-dir', join(directory, 'm0'), '--log-level', 'error'],
      ...['--listen-client-urls', `https://127.0.0.1:${client}`],
      ...['--advertise-client-urls', `https://127.0.0.1:${client}`],
      ...['--listen-peer-urls', url(peer), '--initial-advertise-peer-urls', url(peer)],
      ...['--initial-cluster', `m0=${url(peer)}`],
      ...['--client-cert-auth', '--trusted-ca-file', tls.ca],
      ...['--cert-file', tls.certificate, '--key-file', tls.key],
    ],
    { stdio: 'ignore' },
  );
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
};

const startOwn: Start = async (directory, tls, client, peer) => {
  const listenPeer = `127.0.0.1:${peer}`;
  const member = await startMember(
    {
      ...{ name: 'm0', dataDir: join(directory, 'm0'), listenPeer },
      ...{ listenClient: `127.0.0.1:${client}`, advertiseClient: null },
      ...{ initialCluster: new Map([['m0', listenPeer]]), initialClusterState: 'new' },
      ...{ clusterToken: 'test', tls, quota: bytes(2 ** 28), retainRevisions: 0 },
    },
    pino({ level: 'silent' }),
  );
  if (!member.ok) throw new Error(member.error.detail);
  return () => member.value.close();
};
