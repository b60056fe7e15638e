import { setTimeout as delay } from 'node:timers/promises';
import type { LeaseKeepAliveResponse } from '../../proto/gen/etcdserverpb.ts';
import type { Case } from './pool-database-case.ts';
import {
  answer,
  endOf,
  type PoolDatabaseClient,
  patience,
  refusal,
  text,
  utf8,
} from './pool-database-client.ts';

/** Renews a lease once, on a stream of its own. */
async function keepAlive(db: PoolDatabaseClient, ID: bigint): Promise<LeaseKeepAliveResponse> {
  const stream = db.lease.leaseKeepAlive();
  const renewed = new Promise<LeaseKeepAliveResponse>((resolve, reject) => {
    stream.once('data', resolve);
    stream.once('error', reject);
  });
  stream.write({ ID });
  const response = await renewed;
  stream.end();
  return response;
}

/** Leases. */
export function poolDatabaseLeaseContract(add: Case): void {
  add('a lease has the id that was asked for, or one of its own', async (t, { db }) => {
    const grant = (request: object) => db.lease.leaseGrant(request, patience);
    const chosen = await answer(grant({ ID: 777n, TTL: 100n }));
    t.deepEqual([chosen.ID, chosen.TTL], [777n, 100n]);
    t.is(
      await refusal(grant({ ID: 777n, TTL: 100n })),
      'FAILED_PRECONDITION etcdserver: lease already exists',
    );
    const own = await answer(grant({ TTL: 100n }));
    t.true(own.ID > 0n);
    const short = await answer(grant({ TTL: 1n }));
    t.true(short.TTL >= 1n);
    t.is(
      await refusal(grant({ TTL: 9_000_000_001n })),
      'OUT_OF_RANGE etcdserver: too large lease TTL',
    );
    const { leases } = await answer(db.lease.leaseLeases({}, patience));
    const ids = leases.map(({ ID }) => ID);
    t.true(ids.includes(777n) && ids.includes(own.ID));
    for (const ID of [777n, own.ID, short.ID]) await answer(db.lease.leaseRevoke({ ID }, patience));
  });

  add('a lease tells what it has left, and its keys', async (t, { db, prefix }) => {
    const { ID } = await answer(db.lease.leaseGrant({ TTL: 500n }, patience));
    await db.put(`${prefix}b`, '1', ID);
    await db.put(`${prefix}a`, '1', ID);
    await db.put(`${prefix}c`, '1', ID);
    await db.put(`${prefix}c`, 'not any more');
    const left = await answer(db.lease.leaseTimeToLive({ ID, keys: true }, patience));
    t.is(left.grantedTTL, 500n);
    t.true(left.TTL > 400n && left.TTL <= 500n);
    t.deepEqual(left.keys.map(text).sort(), [`${prefix}a`, `${prefix}b`]);
    const bare = await answer(db.lease.leaseTimeToLive({ ID }, patience));
    t.deepEqual(bare.keys, []);
    await answer(db.lease.leaseRevoke({ ID }, patience));
    const none = await answer(db.lease.leaseTimeToLive({ ID }, patience));
    t.deepEqual([none.ID, none.TTL, none.grantedTTL], [ID, -1n, 0n]);
  });

  add('a revoked lease takes its keys along, at one revision', async (t, { db, prefix }) => {
    const { ID } = await answer(db.lease.leaseGrant({ TTL: 500n }, patience));
    for (const each of ['b', 'a']) await db.put(prefix + each, '1', ID);
    await db.put(`${prefix}kept`, '1');
    const watch = db.watch();
    await watch.create({ key: utf8(prefix), rangeEnd: endOf(prefix) });
    const before = await db.revision();
    await answer(db.lease.leaseRevoke({ ID }, patience));
    const events = await watch.events(2);
    t.deepEqual(
      events.map(({ type, kv }) => [type, text(kv?.key), kv?.modRevision]),
      [
        ['DELETE', `${prefix}a`, before + 1n],
        ['DELETE', `${prefix}b`, before + 1n],
      ],
    );
    t.is((await db.getPrefix(prefix)).count, 1n);
    t.is(
      await refusal(db.lease.leaseRevoke({ ID }, patience)),
      'NOT_FOUND etcdserver: requested lease not found',
    );
  });

  add('a lease that is not renewed expires, not before its time', async (t, { db, prefix }) => {
    const granted = Date.now();
    const { ID, TTL } = await answer(db.lease.leaseGrant({ TTL: 2n }, patience));
    await db.put(`${prefix}a`, '1', ID);
    const watch = db.watch();
    await watch.create({ key: utf8(`${prefix}a`) });
    const [event] = await watch.events(1);
    t.is(event?.type, 'DELETE');
    t.true(Date.now() - granted >= Number(TTL) * 1000);
    t.is((await keepAlive(db, ID)).TTL, 0n);
  });

  add(
    'a lease lives on while any member is asked to renew it',
    async (t, { db, clients, prefix }) => {
      const { ID, TTL } = await answer(db.lease.leaseGrant({ TTL: 5n }, patience));
      await db.put(`${prefix}a`, '1', ID);
      const until = Date.now() + 1.5 * Number(TTL) * 1000;
      for (let count = 0; Date.now() < until; count += 1) {
        const member = clients[count % clients.length] ?? db;
        const renewed = await keepAlive(member, ID);
        t.deepEqual([renewed.ID, renewed.TTL], [ID, TTL]);
        await delay(500);
      }
      t.is((await db.get(`${prefix}a`)).count, 1n);
      await answer(db.lease.leaseRevoke({ ID }, patience));
    },
  );

  add('one stream renews many leases', async (t, { db }) => {
    const grants = await Promise.all(
      Array.from({ length: 50 }, () => answer(db.lease.leaseGrant({ TTL: 60n }, patience))),
    );
    const stream = db.lease.leaseKeepAlive();
    const renewed = new Set<bigint>();
    const all = new Promise<void>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('data', ({ ID, TTL }: LeaseKeepAliveResponse) => {
        if (TTL === 60n) renewed.add(ID);
        if (renewed.size === grants.length) resolve();
      });
    });
    for (const { ID } of grants) stream.write({ ID });
    await all;
    stream.end();
    t.is(renewed.size, 50);
    for (const { ID } of grants) await answer(db.lease.leaseRevoke({ ID }, patience));
  });
}
