import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Input } from '../../proto/codec.ts';
import type { AlarmRequest, SnapshotResponse } from '../../proto/gen/etcdserverpb.ts';
import type { Case } from './pool-database-case.ts';
import {
  answer,
  endOf,
  type PoolDatabaseClient,
  patience,
  refusal,
  utf8,
} from './pool-database-client.ts';

const noSpace = 'RESOURCE_EXHAUSTED etcdserver: mvcc: database space exceeded';
const corrupt = 'DATA_LOSS etcdserver: corrupt cluster';

/** The alarms that a call answered with, as `NOSPACE`, in order. */
async function alarms(db: PoolDatabaseClient, request: Input<AlarmRequest>): Promise<string[]> {
  const response = await answer(db.maintenance.alarm(request, patience));
  return response.alarms.map(({ alarm }) => alarm).sort();
}

/** Resolves when a member says that this one leads. */
async function follows(db: PoolDatabaseClient, wanted: bigint): Promise<void> {
  for (;;) {
    const { leader } = await answer(db.maintenance.status({}, patience));
    if (leader === wanted) return;
    await delay(20);
  }
}

/** Everything that a member streams. */
function download(db: PoolDatabaseClient): Promise<SnapshotResponse[]> {
  return new Promise((resolve, reject) => {
    const responses: SnapshotResponse[] = [];
    const stream = db.maintenance.snapshot({});
    stream.on('data', (response: SnapshotResponse) => responses.push(response));
    stream.on('end', () => resolve(responses));
    stream.on('error', reject);
  });
}

/** The hash of a member's keys at a revision, once it has applied that. */
async function hashAt(db: PoolDatabaseClient, revision: bigint) {
  await db.revision();
  const { hash, compactRevision } = await answer(db.maintenance.hashKV({ revision }, patience));
  return { hash, compactRevision };
}

/** Alarms, hashes, snapshots and the leader's office. */
export function poolDatabaseMaintenanceContract(add: Case): void {
  add('an alarm for want of room stops what grows, on every member', async (t, subject) => {
    const { db, clients, prefix } = subject;
    const memberID = (await db.get('x')).header?.memberId ?? 0n;
    const { ID } = await answer(db.lease.leaseGrant({ TTL: 600n }, patience));
    await db.put(`${prefix}a`, '1');
    t.deepEqual(await alarms(db, {}), []);
    const set = await answer(
      db.maintenance.alarm({ action: 'ACTIVATE', memberID, alarm: 'NOSPACE' }, patience),
    );
    t.deepEqual(set.alarms, [{ memberID, alarm: 'NOSPACE' }]);
    t.deepEqual(await alarms(db, { action: 'ACTIVATE', memberID, alarm: 'NOSPACE' }), ['NOSPACE']);
    const key = utf8(`${prefix}b`);
    for (const client of clients) {
      t.deepEqual(await alarms(client, {}), ['NOSPACE']);
      t.deepEqual(await alarms(client, { alarm: 'CORRUPT' }), []);
      const { errors } = await answer(client.maintenance.status({}, patience));
      t.deepEqual(errors, [`memberID:${memberID} alarm:NOSPACE `]);
      t.is(await refusal(client.kv.put({ key }, patience)), noSpace);
      t.is(await refusal(client.kv.txn({ failure: [{ requestPut: { key } }] }, patience)), noSpace);
      t.is(await refusal(client.lease.leaseGrant({ TTL: 600n }, patience)), noSpace);
      t.is((await client.get(`${prefix}a`)).count, 1n);
    }
    t.true((await db.txn({ success: [{ requestRange: { key } }] })).succeeded);
    const deletion = { requestDeleteRange: { key: utf8(`${prefix}a`) } };
    t.true((await db.txn({ success: [deletion] })).succeeded);
    t.is((await db.delete(`${prefix}a`)).deleted, 0n);
    await answer(db.lease.leaseRevoke({ ID }, patience));
    const revision = await db.revision();
    await answer(db.kv.compact({ revision, physical: true }, patience));
    const ended = { action: 'DEACTIVATE', memberID, alarm: 'NOSPACE' } as const;
    t.deepEqual(await alarms(db, ended), ['NOSPACE']);
    t.deepEqual(await alarms(db, ended), []);
    t.deepEqual(await alarms(db, {}), []);
    t.is(await refusal(db.kv.put({ key }, patience)), 'served');
  });

  add('an alarm of corruption stops every write of data', async (t, { db, prefix }) => {
    const memberID = (await db.get('x')).header?.memberId ?? 0n;
    const { ID } = await answer(db.lease.leaseGrant({ TTL: 600n }, patience));
    const revision = (await db.put(`${prefix}a`, '1')).header?.revision ?? 0n;
    await alarms(db, { action: 'ACTIVATE', memberID, alarm: 'CORRUPT' });
    const key = utf8(`${prefix}a`);
    t.deepEqual(await alarms(db, { alarm: 'CORRUPT' }), ['CORRUPT']);
    t.is(await refusal(db.kv.put({ key }, patience)), corrupt);
    t.is(await refusal(db.kv.deleteRange({ key }, patience)), corrupt);
    t.is(await refusal(db.kv.txn({ success: [{ requestPut: { key } }] }, patience)), corrupt);
    t.is(await refusal(db.kv.compact({ revision }, patience)), corrupt);
    t.is(await refusal(db.lease.leaseGrant({ TTL: 600n }, patience)), corrupt);
    t.is(await refusal(db.lease.leaseRevoke({ ID }, patience)), corrupt);
    t.is(await refusal(db.kv.range({ key }, patience)), 'served');
    await alarms(db, { action: 'DEACTIVATE', memberID, alarm: 'CORRUPT' });
    t.deepEqual(await alarms(db, {}), []);
    await answer(db.lease.leaseRevoke({ ID }, patience));
    t.is((await db.delete(`${prefix}a`)).deleted, 1n);
  });

  add('all members have the same hash of their keys', async (t, { db, clients, prefix }) => {
    const same = async (revision: bigint) => {
      const hashes = await Promise.all(clients.map((client) => hashAt(client, revision)));
      for (const hash of hashes) t.deepEqual(hash, hashes[0]);
      return hashes[0];
    };
    const first = (await db.put(`${prefix}a`, '1')).header?.revision ?? 0n;
    await db.put(`${prefix}b`, '1');
    await db.delete(`${prefix}a`);
    const last = (await db.put(`${prefix}b`, '2')).header?.revision ?? 0n;
    const early = await same(first);
    const late = await same(last);
    t.not(early?.hash, late?.hash);
    await db.put(`${prefix}c`, '1');
    t.deepEqual(await same(last), late);
    await answer(db.kv.compact({ revision: last, physical: true }, patience));
    const now = await same(0n);
    t.is(now?.compactRevision, last);
    const hash = (revision: bigint) => refusal(db.maintenance.hashKV({ revision }, patience));
    const compacted = 'OUT_OF_RANGE etcdserver: mvcc: required revision has been compacted';
    t.is(await hash(first), compacted);
    t.is(await hash(last), compacted);
    t.is(
      await hash(last + 1000n),
      'OUT_OF_RANGE etcdserver: mvcc: required revision is a future revision',
    );
  });

  add('a member hashes all that it holds', async (t, { db, prefix }) => {
    const hash = async () => (await answer(db.maintenance.hash({}, patience))).hash;
    const before = await hash();
    t.is(await hash(), before);
    await db.put(`${prefix}a`, '1');
    t.not(await hash(), before);
  });

  add('a snapshot ends with the SHA-256 of all before', async (t, { db, prefix }) => {
    for (let at = 0; at < 20; at += 1) await db.put(`${prefix}${at}`, 'v'.repeat(50_000));
    const responses = await download(db);
    const file = Buffer.concat(responses.map(({ blob }) => blob));
    t.is(file.length % 512, 32);
    const digest = createHash('sha256').update(file.subarray(0, -32)).digest();
    t.deepEqual(file.subarray(-32), digest);
    t.true(file.includes(`${prefix}19`));
    const remaining = responses.map(({ remainingBytes }) => remainingBytes);
    t.deepEqual(
      remaining,
      remaining.toSorted((a, b) => Number(b - a)),
    );
    await answer(db.kv.deleteRange({ key: utf8(prefix), rangeEnd: endOf(prefix) }, patience));
  });

  add('a member says whether it learns, and defragments when it is asked', async (t, { db }) => {
    const status = await answer(db.maintenance.status({}, patience));
    t.false(status.isLearner);
    t.deepEqual(status.errors, []);
    t.true(status.raftAppliedIndex > 0n && status.raftAppliedIndex <= status.raftIndex);
    t.true(status.dbSizeInUse > 0n && status.dbSizeInUse <= status.dbSize);
    const revision = await db.revision();
    await answer(db.maintenance.defragment({}, patience));
    t.is(await db.revision(), revision);
  });

  add('only the leader hands its office over, and only to a voter', async (t, { clients }) => {
    for (const client of clients) {
      const { header, leader } = await answer(client.maintenance.status({}, patience));
      const wanted =
        header?.memberId === leader
          ? 'FAILED_PRECONDITION etcdserver: bad leader transferee'
          : 'FAILED_PRECONDITION etcdserver: not leader';
      t.is(await refusal(client.maintenance.moveLeader({ targetID: 4242n }, patience)), wanted);
      const self = client.maintenance.moveLeader({ targetID: leader }, patience);
      if (header?.memberId === leader) t.is(await refusal(self), 'served');
    }
  });

  add('a leader that hands over is followed by whom it named', async (t, { clients }) => {
    const states = await Promise.all(
      clients.map((client) => answer(client.maintenance.status({}, patience))),
    );
    const at = states.findIndex(({ header, leader }) => header?.memberId === leader);
    const [from, to] = [clients[at], clients[(at + 1) % clients.length]];
    const targetID = states[(at + 1) % clients.length]?.header?.memberId ?? 0n;
    t.true(from !== undefined && to !== undefined);
    if (from === undefined || to === undefined) return;
    await answer(from.maintenance.moveLeader({ targetID }, patience));
    for (const client of clients) await follows(client, targetID);
    t.is(await refusal(to.kv.range({ key: utf8('x') }, patience)), 'served');
  });
}
