import type { Case } from './pool-database-case.ts';
import { answer, endOf, pairs, patience, refusal, text, utf8 } from './pool-database-client.ts';

/** Reads, writes, deletions and compaction. */
export function poolDatabaseKvContract(add: Case): void {
  add('a key is read with its revisions, version and lease', async (t, { db, prefix }) => {
    const first = await db.put(`${prefix}a`, '1');
    const second = await db.put(`${prefix}a`, '2');
    t.is(second.header?.revision, (first.header?.revision ?? 0n) + 1n);
    const read = await db.get(`${prefix}a`);
    t.is(read.count, 1n);
    t.false(read.more);
    t.deepEqual(
      read.kvs[0] && { ...read.kvs[0], key: text(read.kvs[0].key), value: text(read.kvs[0].value) },
      {
        key: `${prefix}a`,
        value: '2',
        createRevision: first.header?.revision ?? 0n,
        modRevision: second.header?.revision ?? 0n,
        version: 2n,
        lease: 0n,
      },
    );
  });

  add('a header names the pool, the member and the term', async (t, { db, clients }) => {
    const headers = await Promise.all(
      clients.map(async (client) => (await client.get('x')).header),
    );
    for (const header of headers) {
      t.is(header?.clusterId, headers[0]?.clusterId);
      t.true((header?.memberId ?? 0n) > 0n && (header?.raftTerm ?? 0n) > 0n);
    }
    t.is(new Set(headers.map((header) => header?.memberId)).size, clients.length);
    t.true((await db.revision()) >= 1n);
  });

  add('what one member acknowledged, every member reads', async (t, { clients, prefix }) => {
    for (const [at, writer] of clients.entries()) {
      await writer.put(`${prefix}k`, `${at}`);
      for (const reader of clients)
        t.deepEqual(pairs((await reader.get(`${prefix}k`)).kvs), [`${prefix}k=${at}`]);
    }
  });

  add('keys may be any bytes, and are ordered as bytes', async (t, { db, prefix }) => {
    const tails = [[0], [0, 0], [0x7f], [0x80], [0xc3, 0xa9], [0xff], [0xff, 0]];
    const keys = tails.map((tail) => Buffer.concat([utf8(prefix), Buffer.from(tail)]));
    for (const key of keys.toReversed()) await answer(db.kv.put({ key, value: key }, patience));
    const read = await db.getPrefix(prefix);
    t.deepEqual(
      read.kvs.map(({ key }) => Buffer.from(key)),
      keys,
    );
    t.deepEqual(
      read.kvs.map(({ value }) => Buffer.from(value)),
      keys,
    );
  });

  add('a range ends before its end, or nowhere', async (t, { db, prefix }) => {
    for (const each of ['a', 'b', 'ba', 'c']) await db.put(prefix + each, each);
    const keys = async (key: string, rangeEnd: Buffer) =>
      (await db.get(prefix + key, { rangeEnd })).kvs
        .map((record) => text(record.key))
        .filter((found) => found.startsWith(prefix))
        .map((found) => found.slice(prefix.length));
    t.deepEqual(await keys('a', utf8(`${prefix}c`)), ['a', 'b', 'ba']);
    t.deepEqual(await keys('b', Buffer.from([0])), ['b', 'ba', 'c']);
    t.deepEqual(await keys('b', endOf(`${prefix}b`)), ['b', 'ba']);
    t.deepEqual(await keys('c', utf8(`${prefix}a`)), []);
  });

  add('a limit leaves the rest out, and says so', async (t, { db, prefix }) => {
    for (const each of ['a', 'b', 'c']) await db.put(prefix + each, each);
    const two = await db.getPrefix(prefix, { limit: 2n });
    t.deepEqual([two.kvs.length, two.more, two.count], [2, true, 3n]);
    const three = await db.getPrefix(prefix, { limit: 3n });
    t.deepEqual([three.kvs.length, three.more, three.count], [3, false, 3n]);
    const keys = await db.getPrefix(prefix, { keysOnly: true });
    t.deepEqual(pairs(keys.kvs), [`${prefix}a=`, `${prefix}b=`, `${prefix}c=`]);
    const count = await db.getPrefix(prefix, { countOnly: true });
    t.deepEqual([count.kvs.length, count.more, count.count], [0, false, 3n]);
    await db.delete(`${prefix}b`);
    t.is((await db.getPrefix(prefix, { countOnly: true })).count, 2n);
  });

  add('a range is sorted by what was asked for, either way', async (t, { db, prefix }) => {
    await db.put(`${prefix}a`, '3');
    await db.put(`${prefix}b`, '1');
    await db.put(`${prefix}c`, '9');
    await db.put(`${prefix}c`, '9');
    await db.put(`${prefix}c`, '2');
    await db.put(`${prefix}a`, '3');
    const order = async (
      sortTarget: 'KEY' | 'VERSION' | 'CREATE' | 'MOD' | 'VALUE',
      sortOrder: 'NONE' | 'ASCEND' | 'DESCEND',
    ) => {
      const read = await db.getPrefix(prefix, { sortTarget, sortOrder });
      return read.kvs.map(({ key }) => text(key).slice(prefix.length)).join('');
    };
    t.is(await order('KEY', 'DESCEND'), 'cba');
    t.is(await order('VERSION', 'ASCEND'), 'bac');
    t.is(await order('CREATE', 'DESCEND'), 'cba');
    t.is(await order('MOD', 'ASCEND'), 'bca');
    t.is(await order('VALUE', 'ASCEND'), 'bca');
    t.is(await order('VALUE', 'NONE'), 'bca');
    const last = await db.getPrefix(prefix, { sortOrder: 'DESCEND', limit: 1n });
    t.deepEqual([...pairs(last.kvs), last.more], [`${prefix}c=2`, true]);
  });

  add('a range is filtered by revisions, and still counts all', async (t, { db, prefix }) => {
    const a = (await db.put(`${prefix}a`, '1')).header?.revision ?? 0n;
    const b = (await db.put(`${prefix}b`, '1')).header?.revision ?? 0n;
    const again = (await db.put(`${prefix}a`, '2')).header?.revision ?? 0n;
    const keys = async (options: object) => {
      const read = await db.getPrefix(prefix, options);
      t.is(read.count, 2n);
      return read.kvs.map(({ key }) => text(key).slice(prefix.length)).join('');
    };
    t.is(await keys({ minModRevision: again }), 'a');
    t.is(await keys({ maxModRevision: b }), 'b');
    t.is(await keys({ minCreateRevision: b }), 'b');
    t.is(await keys({ maxCreateRevision: a }), 'a');
    t.is(await keys({ minModRevision: a, limit: 1n }), 'a');
  });

  add('the past is read as it was, until it is compacted', async (t, { db, prefix }) => {
    const before = await db.revision();
    const first = (await db.put(`${prefix}a`, '1')).header?.revision ?? 0n;
    const second = (await db.put(`${prefix}a`, '2')).header?.revision ?? 0n;
    const third = (await db.delete(`${prefix}a`)).header?.revision ?? 0n;
    const at = async (revision: bigint) => pairs((await db.getPrefix(prefix, { revision })).kvs);
    t.deepEqual(await at(before), []);
    t.deepEqual(await at(first), [`${prefix}a=1`]);
    t.deepEqual(await at(second), [`${prefix}a=2`]);
    t.deepEqual(await at(third), []);
    const compact = (revision: bigint, physical = false) =>
      db.kv.compact({ revision, physical }, patience);
    await answer(compact(second, true));
    t.deepEqual(await at(second), [`${prefix}a=2`]);
    const compacted = 'OUT_OF_RANGE etcdserver: mvcc: required revision has been compacted';
    const future = 'OUT_OF_RANGE etcdserver: mvcc: required revision is a future revision';
    const key = utf8(`${prefix}a`);
    t.is(await refusal(db.kv.range({ key, revision: first }, patience)), compacted);
    t.is(await refusal(db.kv.range({ key, revision: third + 100n }, patience)), future);
    t.is(await refusal(compact(second)), compacted);
    t.is(await refusal(compact(third + 100n)), future);
  });

  add(
    'a put answers with what it replaced, and keeps what it is told to',
    async (t, { db, prefix }) => {
      const key = utf8(`${prefix}a`);
      const { ID: lease } = await answer(db.lease.leaseGrant({ TTL: 600n }, patience));
      const put = (request: object) => db.kv.put({ key, ...request }, patience);
      t.is((await answer(put({ value: utf8('1'), prevKv: true }))).prevKv, null);
      const second = await answer(put({ value: utf8('2'), lease, prevKv: true }));
      t.is(text(second.prevKv?.value), '1');
      await answer(put({ ignoreValue: true }));
      const [unleased] = (await db.get(`${prefix}a`)).kvs;
      t.deepEqual([text(unleased?.value), unleased?.lease], ['2', 0n]);
      await answer(put({ value: utf8('3'), lease }));
      await answer(put({ value: utf8('4'), ignoreLease: true }));
      const [leased] = (await db.get(`${prefix}a`)).kvs;
      t.deepEqual([text(leased?.value), leased?.lease], ['4', lease]);
      await answer(db.lease.leaseRevoke({ ID: lease }, patience));
    },
  );

  add('a put that makes no sense is refused', async (t, { db, prefix }) => {
    const key = utf8(`${prefix}none`);
    const value = utf8('v');
    const before = await db.revision();
    const put = (request: object) => refusal(db.kv.put({ key, ...request }, patience));
    const invalid = 'INVALID_ARGUMENT etcdserver:';
    t.is(await put({ key: null, value }), `${invalid} key is not provided`);
    t.is(await put({ value, ignoreValue: true }), `${invalid} value is provided`);
    t.is(await put({ value, lease: 1n, ignoreLease: true }), `${invalid} lease is provided`);
    t.is(await put({ ignoreValue: true }), `${invalid} key not found`);
    t.is(await put({ value, ignoreLease: true }), `${invalid} key not found`);
    t.is(await put({ value, lease: 4242n }), 'NOT_FOUND etcdserver: requested lease not found');
    t.is(await put({ value: Buffer.alloc(1.6 * 2 ** 20) }), `${invalid} request is too large`);
    t.is(await refusal(db.kv.range({}, patience)), `${invalid} key is not provided`);
    t.is(await refusal(db.kv.deleteRange({}, patience)), `${invalid} key is not provided`);
    t.is(await db.revision(), before);
  });

  add('a value of a mebibyte comes back whole', async (t, { db, prefix }) => {
    const value = Buffer.alloc(2 ** 20, 'flotilla');
    await answer(db.kv.put({ key: utf8(prefix), value }, patience));
    t.true(value.equals((await db.get(prefix)).kvs[0]?.value ?? Buffer.alloc(0)));
  });

  add(
    'a deletion tells what it deleted, and of nothing makes no revision',
    async (t, { db, prefix }) => {
      for (const each of ['a', 'b', 'c']) await db.put(prefix + each, each);
      const range = { key: utf8(`${prefix}a`), rangeEnd: utf8(`${prefix}c`), prevKv: true };
      const before = await db.revision();
      const deleted = await answer(db.kv.deleteRange(range, patience));
      t.is(deleted.deleted, 2n);
      t.deepEqual(pairs(deleted.prevKvs), [`${prefix}a=a`, `${prefix}b=b`]);
      t.is(deleted.header?.revision, before + 1n);
      const again = await answer(db.kv.deleteRange(range, patience));
      t.deepEqual(
        [again.deleted, again.prevKvs.length, again.header?.revision],
        [0n, 0, before + 1n],
      );
      const back = await db.put(`${prefix}a`, 'new');
      const [record] = (await db.get(`${prefix}a`)).kvs;
      t.deepEqual([record?.createRevision, record?.version], [back.header?.revision, 1n]);
    },
  );

  add('members, their addresses and their state are told', async (t, { db, clients }) => {
    const list = await answer(db.cluster.memberList({}, patience));
    t.is(list.members.length, clients.length);
    for (const member of list.members) {
      t.true(member.ID > 0n && member.name !== '');
      t.is(member.peerURLs.length, 1);
      t.regex(member.clientURLs.join(), /^http:\/\/127\.0\.0\.1:\d+$/);
    }
    const states = await Promise.all(
      clients.map((client) => answer(client.maintenance.status({}, patience))),
    );
    const leader = states[0]?.leader ?? 0n;
    t.true(list.members.some(({ ID }) => ID === leader));
    for (const state of states) {
      t.regex(state.version, /^3\.4\.\d+$/);
      t.is(state.leader, leader);
      t.true(state.raftIndex > 0n && state.raftTerm > 0n && state.dbSize > 0n);
    }
    const alarms = await answer(db.maintenance.alarm({ action: 'GET' }, patience));
    t.deepEqual(alarms.alarms, []);
  });
}
