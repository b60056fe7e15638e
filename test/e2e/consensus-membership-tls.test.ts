import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { pino } from 'pino';
import { bytes, milliseconds } from '../../base/units.ts';
import type { MemberSettings } from '../../consensus/settings.ts';
import { type Member, startMember } from '../../consensus/start/member.ts';
import { freePorts } from '../contract/etcd.ts';
import { answer, PoolDatabaseClient, refusal } from '../contract/pool-database-client.ts';
import { TestAuthority } from '../fixtures/test-authority.ts';

const patient = { timeout: milliseconds(10_000) };

async function start(settings: MemberSettings): Promise<Member> {
  const started = await startMember(settings, pino({ level: 'silent' }));
  if (!started.ok) throw new Error(started.error.detail);
  return started.value;
}

test('with TLS a member joins, votes and is removed; addresses are https', async (t) => {
  t.timeout(120_000);
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-tls-join-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const authority = await TestAuthority.make();
  const [one = 0, two = 0] = await freePorts(2);
  const [first, second] = [`127.0.0.1:${one}`, `127.0.0.1:${two}`];
  const settings = async (name: string, listenPeer: string): Promise<MemberSettings> => ({
    name,
    dataDir: join(directory, name),
    listenClient: '127.0.0.1:0',
    listenPeer,
    advertiseClient: null,
    initialCluster: new Map([['m0', first]]),
    initialClusterState: 'new',
    clusterToken: 'test',
    tls: await authority.files(directory, `${name}/consensus`),
    quota: bytes(2 ** 28),
    retainRevisions: 0,
    rights: null,
  });
  const beginner = await start(await settings('m0', first));
  t.teardown(() => beginner.close());
  await beginner.ready;
  const client = new PoolDatabaseClient(
    beginner.clientAddress,
    await authority.channel('m0/consensus'),
  );
  t.teardown(() => client.close());

  const plain = { peerURLs: [`http://${second}`] };
  t.regex(await refusal(client.cluster.memberAdd(plain, patient)), /URLs are invalid/);
  const added = await answer(
    client.cluster.memberAdd({ peerURLs: [`https://${second}`] }, patient),
  );
  const joiner = await start({
    ...(await settings('m1', second)),
    initialCluster: new Map([
      ['m0', first],
      ['m1', second],
    ]),
    initialClusterState: 'existing',
  });
  t.teardown(() => joiner.close());
  await joiner.ready;
  for (let attempt = 0; ; attempt += 1) {
    const { members } = await answer(client.cluster.memberList({}, patient));
    if (members.every(({ name, isLearner }) => name !== '' && !isLearner)) {
      const urls = members.flatMap(({ peerURLs }) => peerURLs);
      t.deepEqual(urls.toSorted(), [`https://${first}`, `https://${second}`].toSorted());
      break;
    }
    if (attempt === 300) t.fail('the new member does not vote');
    await delay(100);
  }
  const ID = added.member?.ID ?? 0n;
  t.is(await refusal(client.cluster.memberRemove({ ID }, patient)), 'served');
  t.like(await joiner.ended, { isFinal: true });
});
