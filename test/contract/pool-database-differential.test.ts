import { type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import fc from 'fast-check';
import type { Result } from '../../base/result.ts';
import { hasEtcd, startEtcd } from './etcd.ts';
import { PoolDatabaseClient, patience, text } from './pool-database-client.ts';
import { startMemberInMemory } from './pool-database-member.ts';
import { type Call, callOf } from './pool-database-requests.ts';

/** Calls of one run: about a second's. */
const calls = 1500;

/** What differs between two engines that do the same. */
const own: ReadonlySet<string> = new Set(['clusterId', 'memberId', 'raftTerm', 'hash', 'TTL']);

/** What an answer says, as text. */
function plain(answered: Result<unknown, ServiceError>): string {
  if (!answered.ok) return `${status[answered.error.code]} ${answered.error.details}`;
  return JSON.stringify(answered.value, (name, value) => {
    if (own.has(name)) return undefined;
    if (name === 'leases' || name === 'keys') return value.map(String).sort();
    return typeof value === 'bigint' ? String(value) : value;
  });
}

async function ask(db: PoolDatabaseClient, call: Call): Promise<string> {
  switch (call.kind) {
    case 'range':
      return plain(await db.kv.range(call.request, patience));
    case 'put':
      return plain(await db.kv.put(call.request, patience));
    case 'deleteRange':
      return plain(await db.kv.deleteRange(call.request, patience));
    case 'txn':
      return plain(await db.kv.txn(call.request, patience));
    case 'compact':
      return plain(await db.kv.compact(call.request, patience));
    case 'leaseGrant':
      return plain(await db.lease.leaseGrant(call.request, patience));
    case 'leaseRevoke':
      return plain(await db.lease.leaseRevoke(call.request, patience));
    case 'leaseTimeToLive':
      return plain(await db.lease.leaseTimeToLive(call.request, patience));
    case 'leaseLeases':
      return plain(await db.lease.leaseLeases(call.request, patience));
    case 'hashKV':
      return plain(await db.maintenance.hashKV(call.request, patience));
  }
}

/** Every change from a revision on as a watch shows it, up to a last one that is made here. */
async function watched(db: PoolDatabaseClient, since: bigint): Promise<string[]> {
  const watch = db.watch();
  const all = Buffer.from([0]);
  await watch.create({ key: all, rangeEnd: all, startRevision: since, prevKv: true });
  await db.put('last', '');
  const shown: string[] = [];
  for (;;)
    for (const { type, kv, prevKv } of (await watch.next()).events) {
      shown.push(plain({ ok: true, value: { type, kv, prevKv } }));
      if (text(kv?.key) === 'last') return shown;
    }
}

if (hasEtcd)
  test('etcd and the built-in database answer every call alike', async (t) => {
    t.timeout(90_000);
    const [cluster, member] = await Promise.all([startEtcd('etcd', 1), startMemberInMemory()]);
    const theirs = new PoolDatabaseClient(cluster.members[0]?.endpoint ?? '');
    const ours = new PoolDatabaseClient(member.address);
    t.teardown(async () => {
      ours.close();
      theirs.close();
      await member.close();
      await cluster.close();
    });
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    let compacted = 0n;
    for (const [at, call] of fc.sample(callOf, { seed, numRuns: calls }).entries()) {
      const [wanted, got] = await Promise.all([ask(theirs, call), ask(ours, call)]);
      const told = () =>
        JSON.stringify(call, (_, each) => (typeof each === 'bigint' ? `${each}` : each));
      if (got !== wanted) t.log(`SEED=${seed}, call ${at}: ${told()}`);
      if (!t.is(got, wanted)) return;
      if (call.kind === 'compact' && got.startsWith('{')) compacted = call.request.revision;
    }
    // Of the compacted revision itself, etcd has lost the deletions.
    const since = compacted + 1n;
    t.deepEqual(await watched(ours, since), await watched(theirs, since));
  });
else
  test('etcd is not installed: it is not compared with', (t) => {
    t.false(hasEtcd);
  });
