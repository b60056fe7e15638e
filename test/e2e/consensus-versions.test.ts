import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { pino } from 'pino';
import { bytes, milliseconds } from '../../base/units.ts';
import type { MemberSettings } from '../../consensus/settings.ts';
import { type Member, startMember } from '../../consensus/start/member.ts';
import type { ProtocolVersions } from '../../consensus/versions.ts';
import { freePorts } from '../contract/etcd.ts';
import {
  answer,
  PoolDatabaseClient,
  refusal,
  text,
  utf8,
} from '../contract/pool-database-client.ts';

const patient = { timeout: milliseconds(10_000) };
const older: ProtocolVersions = { newest: 1, oldest: 1 };
const newer: ProtocolVersions = { newest: 2, oldest: 1 };

async function start(settings: MemberSettings, versions: ProtocolVersions): Promise<Member> {
  const started = await startMember(settings, pino({ level: 'silent' }), versions);
  if (!started.ok) throw new Error(started.error.detail);
  return started.value;
}

/** What version 1 wrote of a member: neither name nor token, and nobody's address. */
function asVersion1(dataDir: string): void {
  const path = join(dataDir, 'member.json');
  const { format, pool, member, incarnation, configuration } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const { voters, learners } = configuration;
  const content = { format, pool, member, incarnation, configuration: { voters, learners } };
  writeFileSync(path, JSON.stringify(content));
}

/** Waits until the list of members tells everyone's address. */
async function addressesTold(client: PoolDatabaseClient): Promise<readonly string[]> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { members } = await answer(client.cluster.memberList({}, patient));
    if (members.every(({ peerURLs }) => peerURLs.length > 0))
      return members.flatMap(({ peerURLs }) => peerURLs);
    await delay(100);
  }
  return [];
}

test('members are upgraded one by one, and what the old ones cannot read waits for the last of them', async (t) => {
  t.timeout(120_000);
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-versions-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const ports = await freePorts(3);
  const initialCluster = new Map(ports.map((port, at) => [`m${at}`, `127.0.0.1:${port}`]));
  const settings = [...initialCluster].map(
    ([name, listenPeer]): MemberSettings => ({
      name,
      dataDir: join(directory, name),
      listenClient: '127.0.0.1:0',
      listenPeer,
      advertiseClient: null,
      initialCluster,
      initialClusterState: 'new',
      clusterToken: 'test',
      tls: null,
      quota: bytes(2 ** 28),
      retainRevisions: 0,
      rights: null,
    }),
  );
  const members = await Promise.all(settings.map((each) => start(each, older)));
  t.teardown(() => Promise.all(members.map((member) => member.close())));
  await Promise.all(members.map(({ ready }) => ready));

  const peerURLs = ['http://127.0.0.1:1'];
  for (const [at, each] of settings.entries()) {
    await members[at]?.close();
    asVersion1(each.dataDir);
    const upgraded = await start(each, newer);
    members[at] = upgraded;
    await upgraded.ready;
    const client = new PoolDatabaseClient(upgraded.clientAddress);
    await answer(client.kv.put({ key: utf8(`by m${at}`), value: utf8('x') }, patient));
    const status = await answer(client.maintenance.status({}, patient));
    const isLast = at === settings.length - 1;
    t.is(status.storageVersion, isLast ? '2' : '1');
    if (isLast)
      t.deepEqual(
        (await addressesTold(client)).toSorted(),
        [...initialCluster.values()].map((address) => `http://${address}`).toSorted(),
      );
    const adding = await refusal(client.cluster.memberAdd({ peerURLs, isLearner: true }, patient));
    if (isLast) t.is(adding, 'served');
    else
      t.regex(
        adding,
        /^FAILED_PRECONDITION etcdserver: not capable: member \w+ runs an older version/,
      );
    client.close();
  }
  const client = new PoolDatabaseClient(members[0]?.clientAddress ?? '');
  const found = await answer(client.kv.range({ key: utf8('by'), rangeEnd: utf8('bz') }, patient));
  t.deepEqual(
    found.kvs.map(({ key }) => text(key)),
    ['by m0', 'by m1', 'by m2'],
  );
  client.close();
});
