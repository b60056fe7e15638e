import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChannelCredentials } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { bytes } from '../../base/units.ts';
import { type Identity, writeIdentity } from '../adapters/disk/identity.ts';
import { configurationOf } from '../core/configuration.ts';
import { memberId } from '../core/ids.ts';
import { firstMemberId, poolIdentity } from '../identity.ts';
import type { MemberSettings } from '../settings.ts';
import { identify } from './identify.ts';

const cluster = new Map([
  ['a', '127.0.0.1:1'],
  ['b', '127.0.0.1:2'],
]);
const { pool } = poolIdentity('t', cluster.keys());
const a = firstMemberId('t', 'a');

function settings(dataDir: string, change: Partial<MemberSettings> = {}): MemberSettings {
  return {
    name: 'a',
    dataDir,
    listenClient: '127.0.0.1:0',
    listenPeer: '127.0.0.1:1',
    advertiseClient: null,
    initialCluster: cluster,
    initialClusterState: 'new',
    clusterToken: 't',
    tls: null,
    quota: bytes(2 ** 20),
    retainRevisions: 0,
    rights: null,
    ...change,
  };
}

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'flotilla-identify-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function outcome(dataDir: string, change: Partial<MemberSettings> = {}) {
  const channel = ChannelCredentials.createInsecure();
  const log = pino({ level: 'silent' });
  const found = await identify(settings(dataDir, change), channel, log);
  return found.ok ? found.value : found.error;
}

test('who begins a pool is told by the flags, where none of the others knows better', async (t) => {
  const found = await outcome(directory(t));
  t.like(found, { member: a, pool: { pool } });
  t.deepEqual('configuration' in found && found.configuration.addresses, [
    { member: a, peers: ['127.0.0.1:1'] },
    { member: firstMemberId('t', 'b'), peers: ['127.0.0.1:2'] },
  ]);
});

test('a directory tells whose it is, whatever the cluster has become since', async (t) => {
  const dataDir = directory(t);
  const stored: Identity = { pool: 'b'.repeat(16), member: memberId(7), name: 'a', token: 't' };
  await writeIdentity(dataDir, stored, 3, configurationOf([memberId(7)]));
  const initialCluster = new Map([['a', '127.0.0.1:9']]);
  const found = await outcome(dataDir, { initialCluster, initialClusterState: 'existing' });
  t.like(found, { member: memberId(7), pool: { clusterId: BigInt(`0x${'b'.repeat(16)}`) } });
  const refusals = [
    [{ name: 'b' }, /belongs to the member a, not to b/],
    [{ clusterToken: 'u' }, /belongs to a pool with the token t, not u/],
  ] as const;
  for (const [change, words] of refusals) {
    const refused = await outcome(dataDir, change);
    t.regex('detail' in refused ? refused.detail : '', words);
    t.true('isFinal' in refused && refused.isFinal);
  }
});

test('a directory of version 1 is known by what the flags make of the pool', async (t) => {
  const dataDir = directory(t);
  await writeIdentity(dataDir, { pool, member: a }, 3, configurationOf([a]));
  t.like(await outcome(dataDir), { member: a, pool: { pool } });
  const other = await outcome(dataDir, { clusterToken: 'u' });
  t.regex('detail' in other ? other.detail : '', /belongs to the pool [0-9a-f]{16}, not to/);
  const second = await outcome(dataDir, { name: 'b' });
  t.regex('detail' in second ? second.detail : '', /belongs to member \d+, which is not b/);
});

test('who joins needs somebody to ask', async (t) => {
  const initialCluster = new Map([['a', '127.0.0.1:1']]);
  const found = await outcome(directory(t), { initialCluster, initialClusterState: 'existing' });
  t.regex('detail' in found ? found.detail : '', /names no other member/);
});
