import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelCredentials } from '@grpc/grpc-js';
import test from 'ava';
import { pino } from 'pino';
import { bytes } from '../../base/units.ts';
import { firstMemberId, poolIdentity } from '../../consensus/identity.ts';
import type { MemberSettings } from '../../consensus/settings.ts';
import { startMember } from '../../consensus/start/member.ts';
import { connect } from '../../proto/client.ts';
import { PeerService } from '../../proto/gen/flotilla.raft.v1.ts';
import { freePorts } from '../contract/etcd.ts';
import { TestAuthority } from '../fixtures/test-authority.ts';

const token = 'test';
const names = ['m0', 'm1', 'm2'];

/** Greets a member as another one; resolves with why the stream ended, or null if it was greeted. */
function greet(
  address: string,
  credentials: ChannelCredentials,
  name: string,
): Promise<string | null> {
  const connection = connect(address, credentials);
  const stream = connection.client(PeerService).exchange();
  return new Promise((resolve) => {
    const end = (outcome: string | null) => {
      stream.cancel();
      connection.close();
      resolve(outcome);
    };
    stream.on('error', (error) => end(error.message));
    stream.on('data', () => end(null));
    const [from, to] = [firstMemberId(token, name), firstMemberId(token, 'm0')];
    const { pool } = poolIdentity(token, names);
    stream.write({ greeting: { version: 2, oldestVersion: 1, pool, from, to } });
  });
}

async function member(t: { teardown(undo: () => Promise<void>): void }, certificateOf: string) {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-impersonation-'));
  const authority = await TestAuthority.make();
  const ports = await freePorts(names.length);
  const initialCluster = new Map(names.map((name, i) => [name, `127.0.0.1:${ports[i]}`]));
  const listenPeer = initialCluster.get('m0') ?? '';
  const settings: MemberSettings = {
    name: 'm0',
    dataDir: join(directory, 'm0'),
    listenClient: '127.0.0.1:0',
    listenPeer,
    advertiseClient: null,
    initialCluster,
    initialClusterState: 'new',
    clusterToken: token,
    tls: await authority.files(directory, certificateOf),
    quota: bytes(2 ** 28),
    retainRevisions: 0,
  };
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const started = await startMember(settings, log);
  if (!started.ok) throw new Error(started.error.detail);
  t.teardown(async () => {
    await started.value.close();
    await rm(directory, { recursive: true, force: true });
  });
  const as = async (certificate: string, name: string) =>
    greet(listenPeer, await authority.channel(certificate), name);
  return { as, lines };
}

test("a member's certificate lets nobody speak as another member", async (t) => {
  const { as, lines } = await member(t, 'm0/consensus');
  t.is(await as('m1/consensus', 'm1'), null);
  const refused = (await as('m1/consensus', 'm2')) ?? '';
  t.regex(refused, /PERMISSION_DENIED: the certificate of m1\/consensus is not that of member/);
  t.regex(refused, /which is m2: check the certificate/);
  t.regex(lines.join(''), /refused a caller/);
  t.is(await as('m2/consensus', 'm2'), null);
});

test('where certificates do not name members, each is taken for a member, and the log says so', async (t) => {
  const { as, lines } = await member(t, 'all/consensus');
  t.is(await as('all/consensus', 'm2'), null);
  t.regex(lines.join(''), /not bound to their certificates/);
});
