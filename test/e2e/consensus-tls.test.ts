import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelCredentials, credentials, Server } from '@grpc/grpc-js';
import test from 'ava';
import { type Logger, pino } from 'pino';
import { bytes, milliseconds } from '../../base/units.ts';
import type { MemberSettings, TlsFiles } from '../../consensus/settings.ts';
import { type Member, startMember } from '../../consensus/start/member.ts';
import { loadCredentials } from '../../consensus/tls.ts';
import { type Identity, issue, makeAuthority } from '../../pool/identity/authority.ts';
import { connect } from '../../proto/client.ts';
import { Cluster, KV } from '../../proto/gen/etcdserverpb.ts';
import { PeerService } from '../../proto/gen/flotilla.raft.v1.ts';
import { freePorts } from '../contract/etcd.ts';
import { channelOf, TestAuthority } from '../fixtures/test-authority.ts';

const timeout = milliseconds(20_000);
const silent = pino({ level: 'silent' });
const subject = { name: 'host-1/consensus', hosts: [] };
const now = milliseconds(Date.now());

async function newIdentity(): Promise<Identity> {
  return issue(await makeAuthority('test', now), subject, now);
}

async function writeFiles(directory: string, identity: Identity): Promise<TlsFiles> {
  const files = {
    ca: join(directory, 'ca.pem'),
    certificate: join(directory, 'own.pem'),
    key: join(directory, 'own.key'),
  };
  await writeFile(files.ca, identity.ca);
  await writeFile(files.certificate, identity.certificate);
  await writeFile(files.key, identity.key);
  return files;
}

async function settings(
  directory: string,
  count: number,
  tls: TlsFiles,
): Promise<MemberSettings[]> {
  const ports = await freePorts(count);
  const cluster = new Map(ports.map((port, index) => [`m${index}`, `127.0.0.1:${port}`]));
  return [...cluster].map(([name, listenPeer]) => ({
    name,
    dataDir: join(directory, name),
    listenClient: '127.0.0.1:0',
    listenPeer,
    advertiseClient: null,
    initialCluster: cluster,
    initialClusterState: 'new',
    clusterToken: 'test',
    tls,
    quota: bytes(2 ** 28),
    retainRevisions: 0,
  }));
}

function channel({ ca, certificate, key }: Identity): ChannelCredentials {
  return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate));
}

test('members and clients prove who they are, and nobody else is served', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-tls-'));
  const identity = await newIdentity();
  const tls = await writeFiles(directory, identity);
  const members: Member[] = [];
  for (const each of await settings(directory, 3, tls)) {
    const member = await startMember(each, silent);
    if (!member.ok) throw new Error(member.error.detail);
    members.push(member.value);
  }
  await Promise.all(members.map((member) => member.ready));
  const address = members[0]?.clientAddress ?? '';

  const connection = connect(address, channel(identity));
  const put = await connection.client(KV).put({ key: Buffer.from('a') }, { timeout });
  t.true(put.ok);
  const listed = await connection.client(Cluster).memberList({}, { timeout });
  t.true(listed.ok && listed.value.members.every(({ peerURLs }) => /^https:/.test(`${peerURLs}`)));
  connection.close();

  const strangers = {
    'plain text': credentials.createInsecure(),
    'no certificate': credentials.createSsl(Buffer.from(identity.ca)),
    'another pool': channel({ ...(await newIdentity()), ca: identity.ca }),
  };
  for (const [who, stranger] of Object.entries(strangers)) {
    const refused = connect(address, stranger);
    const read = await refused.client(KV).range({ key: Buffer.from('a') }, { timeout });
    t.false(read.ok, who);
    refused.close();
  }
  await Promise.all(members.map((member) => member.close()));
  await rm(directory, { recursive: true, force: true });
});

test('TLS files that do not fit are refused by their field', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-tls-'));
  const tls = await writeFiles(directory, await newIdentity());
  const [first] = await settings(directory, 1, tls);
  const refusal = async (change: Partial<TlsFiles>) => {
    if (first === undefined) return 'no settings';
    const started = await startMember({ ...first, tls: { ...tls, ...change } }, silent);
    return started.ok ? 'started' : started.error.detail;
  };
  t.regex(await refusal({ ca: join(directory, 'none.pem') }), /^tls\.ca: ENOENT/);
  t.regex(await refusal({ key: tls.certificate }), /^tls: the CA, the certificate and the key/);
  await rm(directory, { recursive: true, force: true });
});

/** A log whose lines are kept. */
function keptLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: pino({ level: 'info' }, { write: (line) => void lines.push(line) }), lines };
}

async function oneMember(directory: string, tls: TlsFiles, log: Logger) {
  const [first] = await settings(directory, 1, tls);
  if (first === undefined) throw new Error('no settings');
  const started = await startMember(first, log);
  if (!started.ok) throw new Error(started.error.detail);
  await started.value.ready;
  return { member: started.value, peer: first.listenPeer };
}

/** How a call to the members' port, or to the clients', is answered. */
async function listed(address: string, who: ChannelCredentials): Promise<string> {
  const connection = connect(address, who);
  const answer = await connection.client(PeerService).listMembers({}, { timeout });
  connection.close();
  return answer.ok ? 'served' : answer.error.details;
}

async function read(address: string, who: ChannelCredentials): Promise<string> {
  const connection = connect(address, who);
  const answer = await connection.client(KV).range({ key: Buffer.from('a') }, { timeout });
  connection.close();
  return answer.ok ? 'served' : answer.error.details;
}

test('only members are served on the port of the members, and taken for one', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-tls-'));
  const authority = await TestAuthority.make();
  const { log, lines } = keptLog();
  const tls = await authority.files(directory, 'host-1/consensus');
  const { member, peer } = await oneMember(directory, tls, log);
  t.is(await listed(peer, await authority.channel('host-2/consensus')), 'served');
  for (const name of ['host-1/network', 'operator', 'a/b/consensus', 'consensus', '/consensus']) {
    t.regex(await listed(peer, await authority.channel(name)), /is not a member/, name);
    t.is(await read(member.clientAddress, await authority.channel(name)), 'served', name);
  }
  t.true(lines.some((line) => /host-1\/network.*refused a caller who is not a member/.test(line)));
  await member.close();

  // A service that listens where a member should is refused, though its certificate is of the CA.
  const other = await authority.files(directory, 'host-1/network');
  const own = loadCredentials(tls);
  const impostor = loadCredentials(other);
  if (!own.ok || !impostor.ok) throw new Error('the files do not load');
  const server = new Server();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', impostor.value.server, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const answer = await listed(`127.0.0.1:${port}`, own.value.channel);
  t.regex(answer, /host-1\/network is not a member/);
  server.forceShutdown();
  await rm(directory, { recursive: true, force: true });
});

test('certificates that are expired or foreign are refused, and the log says so', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-tls-'));
  const authority = await TestAuthority.make();
  const { log, lines } = keptLog();
  const tls = await authority.files(directory, 'host-1/consensus');
  const { member, peer } = await oneMember(directory, tls, log);
  const twoYears = milliseconds(2 * 365 * 24 * 3600 * 1000);
  const expired = channelOf(await authority.identity('operator', twoYears));
  const stranger = await (await TestAuthority.make()).identity('operator');
  const { ca } = await authority.identity('operator');
  const foreign = channelOf({ ...stranger, ca });
  for (const address of [member.clientAddress, peer])
    for (const who of [expired, foreign]) t.not(await read(address, who), 'served');
  await member.close();
  const refused = lines.filter((line) => line.includes('refused a connection'));
  for (const port of ['clients', 'members'])
    for (const reason of ['CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])
      t.true(
        refused.some((line) => line.includes(port) && line.includes(reason)),
        `${port} ${reason}: ${refused.join()}`,
      );
  t.true(refused.every((line) => line.includes('127.0.0.1')));
  t.false(lines.join().includes('PRIVATE KEY'));
  await rm(directory, { recursive: true, force: true });
});

test('renewed files are taken without a restart, and half-written ones are not', async (t) => {
  t.timeout(60_000);
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-tls-'));
  const [before, after] = [await TestAuthority.make(), await TestAuthority.make()];
  const { log, lines } = keptLog();
  const tls = await before.files(directory, 'host-1/consensus');
  const { member } = await oneMember(directory, tls, log);
  const old = await before.channel('operator');
  t.is(await read(member.clientAddress, old), 'served');
  const renewed = await after.identity('host-1/consensus');
  await writeFile(tls.key, renewed.key);
  const until = async (sentence: string) => {
    const end = performance.now() + 40_000;
    while (!lines.some((line) => line.includes(sentence)))
      if (performance.now() > end) throw new Error(`not said: ${sentence}`);
      else await delay(50);
  };
  await until('going on with those before');
  t.is(await read(member.clientAddress, old), 'served');
  await writeFile(tls.certificate, renewed.certificate);
  await writeFile(tls.ca, renewed.ca);
  await until('took the renewed TLS files');
  t.is(await read(member.clientAddress, await after.channel('operator')), 'served');
  t.not(await read(member.clientAddress, old), 'served');
  await member.close();
  t.false(lines.join().includes('PRIVATE KEY'));
  await rm(directory, { recursive: true, force: true });
});
