import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import test from 'ava';
import { pino } from 'pino';
import { bytes, milliseconds } from '../../base/units.ts';
import type { MemberSettings, TlsFiles } from '../../consensus/settings.ts';
import { type Member, startMember } from '../../consensus/start/member.ts';
import { type Identity, issue, makeAuthority } from '../../pool/identity/authority.ts';
import { connect } from '../../proto/client.ts';
import { Cluster, KV } from '../../proto/gen/etcdserverpb.ts';
import { freePorts } from '../contract/etcd.ts';

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
