import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import fc from 'fast-check';
import { bytes } from '../../../base/units.ts';
import {
  answer,
  PoolDatabaseClient,
  patience,
  refusal,
  utf8,
} from '../../../test/contract/pool-database-client.ts';
import { startMemberInMemory } from '../../../test/contract/pool-database-member.ts';

/** Sends bytes as a request; returns the name of the status, `OK` where they were served. */
function send(client: Client, method: string, request: Buffer): Promise<string> {
  const same = (message: Buffer) => message;
  const deadline = Date.now() + 60_000;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      `/etcdserverpb.${method}`,
      same,
      same,
      request,
      new Metadata(),
      { deadline },
      (error) => resolve(status[error?.code ?? status.OK]),
    );
  });
}

function varint(value: number): Buffer {
  const groups: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) groups.push((rest % 0x80) | 0x80);
  return Buffer.from([...groups, rest]);
}

/** A length-delimited field of protobuf. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

const methods = [
  'KV/Range',
  'KV/Put',
  'KV/DeleteRange',
  'KV/Txn',
  'KV/Compact',
  'Lease/LeaseGrant',
  'Lease/LeaseRevoke',
  'Lease/LeaseTimeToLive',
  'Cluster/MemberList',
  'Maintenance/Status',
  'Maintenance/Alarm',
  'Auth/UserAdd',
  'Auth/UserGrantRole',
  'Auth/RoleAdd',
  'Auth/RoleGet',
  'Auth/RoleGrantPermission',
  'Auth/RoleRevokePermission',
  'Auth/AuthEnable',
  'Maintenance/Defragment',
  'Maintenance/Hash',
  'Maintenance/HashKV',
  'Maintenance/MoveLeader',
];

test('any bytes as any request are served or refused, and the member goes on', async (t) => {
  const member = await startMemberInMemory();
  const client = new Client(member.address, credentials.createInsecure());
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...methods),
      fc.uint8Array({ maxLength: 40 }),
      async (method, noise) => {
        seen.add(await send(client, method, Buffer.from(noise)));
      },
    ),
    { numRuns: 400 },
  );
  t.true(seen.has('INTERNAL'));
  t.false(seen.has('UNAVAILABLE') || seen.has('DEADLINE_EXCEEDED'));
  const db = new PoolDatabaseClient(member.address);
  await db.put('a', '1');
  t.is((await db.get('a')).count, 1n);
  db.close();
  client.close();
  await member.close();
});

test('transactions that are nested however deep are refused, and the member goes on', async (t) => {
  const member = await startMemberInMemory();
  const client = new Client(member.address, credentials.createInsecure());
  for (const depth of [129, 1000, 10_000]) {
    let txn: Buffer = Buffer.alloc(0);
    for (let level = 0; level < depth; level += 1) txn = field(2, field(4, txn));
    t.regex(await send(client, 'KV/Txn', txn), /^(INVALID_ARGUMENT|INTERNAL)$/, `${depth}`);
  }
  t.is(await send(client, 'KV/Txn', Buffer.alloc(0)), 'OK');
  client.close();
  await member.close();
});

test('a store that is full takes what makes it smaller, and says why not the rest', async (t) => {
  const member = await startMemberInMemory({ quota: bytes(2 ** 20) });
  const db = new PoolDatabaseClient(member.address);
  const { ID } = await answer(db.lease.leaseGrant({ TTL: 600n }, patience));
  const put = (key: string) =>
    db.kv.put({ key: utf8(key), value: Buffer.alloc(100_000) }, patience);
  const full = 'RESOURCE_EXHAUSTED etcdserver: mvcc: database space exceeded';
  let written = 0;
  while ((await refusal(put(`${written}`))) === 'served') written += 1;
  t.is(written, 11);
  t.is(await refusal(put('more')), full);
  t.is(await refusal(db.lease.leaseGrant({ TTL: 600n }, patience)), full);
  t.is(await refusal(db.lease.leaseRevoke({ ID }, patience)), 'served');
  const alarms = await answer(db.maintenance.alarm({}, patience));
  t.deepEqual(
    alarms.alarms.map(({ alarm }) => alarm),
    ['NOSPACE'],
  );
  const state = await answer(db.maintenance.status({}, patience));
  t.regex(state.errors.join(), /^memberID:\d+ alarm:NOSPACE $/);
  for (const key of ['0', '1']) await db.delete(key);
  const deleted = await db.delete('2');
  await answer(
    db.kv.compact({ revision: deleted.header?.revision ?? 0n, physical: true }, patience),
  );
  // The alarm ends by itself, since there is room for more than a tenth of the quota.
  while ((await refusal(put('again'))) === full) await delay(20);
  t.is((await db.get('again')).count, 1n);
  db.close();
  await member.close();
});

test('a client that does not read costs a few messages, and gets all when it does', async (t) => {
  const member = await startMemberInMemory();
  const db = new PoolDatabaseClient(member.address);
  const watch = db.watch();
  await watch.create({ key: utf8('a'), rangeEnd: utf8('b') });
  watch.pause();
  const value = 'v'.repeat(50_000);
  for (let batch = 0; batch < 20; batch += 1)
    await Promise.all(Array.from({ length: 20 }, (_, index) => db.put(`a${index}`, value)));
  watch.resume();
  const events = await watch.events(400);
  t.is(new Set(events.map(({ kv }) => kv?.modRevision)).size, 400);
  db.close();
  await member.close();
});

test('a client that leaves its snapshot holds nothing up, and few are made at a time', async (t) => {
  const member = await startMemberInMemory();
  const db = new PoolDatabaseClient(member.address);
  for (let key = 0; key < 40; key += 1) await db.put(`${key}`, 'v'.repeat(100_000));
  const streams = Array.from({ length: 3 }, () => db.maintenance.snapshot({}));
  const [refused] = await Promise.all([
    new Promise<ServiceError>((resolve) => {
      for (const stream of streams) stream.on('error', resolve);
    }),
    ...streams.slice(0, 2).map((stream) => once(stream, 'data')),
  ]);
  t.is(refused.details, 'etcdserver: too many requests');
  for (const stream of streams) stream.cancel();
  const revision = (await db.put('0', '')).header?.revision ?? 0n;
  const size = member.store.size;
  await answer(db.kv.compact({ revision, physical: true }, patience));
  while (member.store.size >= size) await delay(20);
  t.true(member.store.size < size);
  db.close();
  await member.close();
});
