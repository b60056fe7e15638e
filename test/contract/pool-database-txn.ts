import type { Input } from '../../proto/codec.ts';
import type { Compare, RequestOp } from '../../proto/gen/etcdserverpb.ts';
import type { Case } from './pool-database-case.ts';
import { answer, endOf, pairs, patience, refusal, text, utf8 } from './pool-database-client.ts';

const put = (key: string, value: string): Input<RequestOp> => ({
  requestPut: { key: utf8(key), value: utf8(value) },
});
const read = (key: string): Input<RequestOp> => ({ requestRange: { key: utf8(key) } });
const remove = (key: string, rangeEnd?: Buffer): Input<RequestOp> => ({
  requestDeleteRange: { key: utf8(key), rangeEnd, prevKv: true },
});

const duplicate = 'INVALID_ARGUMENT etcdserver: duplicate key given in txn request';

/** Transactions. */
export function poolDatabaseTxnContract(add: Case): void {
  add('each compare relates what is stored to what is given', async (t, { db, prefix }) => {
    const { ID: lease } = await answer(db.lease.leaseGrant({ TTL: 600n }, patience));
    const create = (await db.put(`${prefix}a`, 'm')).header?.revision ?? 0n;
    const mod = (await db.put(`${prefix}a`, 'm', lease)).header?.revision ?? 0n;
    const targets: [Compare['target'], (delta: bigint) => Input<Compare>][] = [
      ['VERSION', (delta) => ({ version: 2n + delta })],
      ['CREATE', (delta) => ({ createRevision: create + delta })],
      ['MOD', (delta) => ({ modRevision: mod + delta })],
      ['VALUE', (delta) => ({ value: utf8(delta < 0n ? 'l' : delta > 0n ? 'n' : 'm') })],
      ['LEASE', (delta) => ({ lease: lease + delta })],
    ];
    const holds = async (compare: Input<Compare>) =>
      (await db.txn({ compare: [compare] })).succeeded;
    for (const [target, operand] of targets) {
      const outcome: string[] = [];
      for (const result of ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'] as const)
        for (const delta of [-1n, 0n, 1n])
          if (await holds({ key: utf8(`${prefix}a`), target, result, ...operand(delta) }))
            outcome.push(`${result}${delta}`);
      t.deepEqual(outcome, ['EQUAL0', 'GREATER-1', 'LESS1', 'NOT_EQUAL-1', 'NOT_EQUAL1'], target);
    }
    await answer(db.lease.leaseRevoke({ ID: lease }, patience));
  });

  add('a missing key compares as zeros, and its value with nothing', async (t, { db, prefix }) => {
    const key = utf8(`${prefix}none`);
    const holds = async (compare: Input<Compare>) =>
      (await db.txn({ compare: [{ key, ...compare }] })).succeeded;
    t.true(await holds({ target: 'VERSION', result: 'EQUAL', version: 0n }));
    t.true(await holds({ target: 'CREATE', result: 'EQUAL', createRevision: 0n }));
    t.true(await holds({ target: 'MOD', result: 'LESS', modRevision: 1n }));
    t.true(await holds({ target: 'LEASE', result: 'EQUAL', lease: 0n }));
    t.false(await holds({ target: 'VALUE', result: 'EQUAL', value: utf8('') }));
    t.false(await holds({ target: 'VALUE', result: 'NOT_EQUAL', value: utf8('x') }));
  });

  add('a compare of a range holds where it holds for every key', async (t, { db, prefix }) => {
    await db.put(`${prefix}a`, 'x');
    await db.put(`${prefix}b`, 'x');
    const range = { key: utf8(prefix), rangeEnd: endOf(prefix) };
    const same = { ...range, target: 'VALUE', result: 'EQUAL', value: utf8('x') } as const;
    t.true((await db.txn({ compare: [same] })).succeeded);
    await db.put(`${prefix}b`, 'y');
    t.false((await db.txn({ compare: [same] })).succeeded);
  });

  add(
    'one branch is done, at one revision, each operation seeing those before',
    async (t, { db, prefix }) => {
      await db.put(`${prefix}old`, '1');
      const before = await db.revision();
      const done = await db.txn({
        compare: [{ key: utf8(`${prefix}a`), target: 'VERSION', result: 'EQUAL', version: 0n }],
        success: [
          put(`${prefix}a`, '1'),
          read(`${prefix}a`),
          remove(`${prefix}old`),
          put(`${prefix}b`, '2'),
          { requestRange: { key: utf8(`${prefix}a`), revision: before } },
        ],
        failure: [put(`${prefix}never`, '1')],
      });
      t.true(done.succeeded);
      t.is(done.header?.revision, before + 1n);
      const [first, second, third, fourth, fifth] = done.responses;
      t.is(first?.responsePut?.header?.revision, before + 1n);
      t.deepEqual(pairs(second?.responseRange?.kvs ?? []), [`${prefix}a=1`]);
      t.is(second?.responseRange?.kvs[0]?.modRevision, before + 1n);
      t.is(third?.responseDeleteRange?.deleted, 1n);
      t.deepEqual(pairs(third?.responseDeleteRange?.prevKvs ?? []), [`${prefix}old=1`]);
      t.not(fourth?.responsePut, undefined);
      t.deepEqual(fifth?.responseRange?.kvs, []);
      const now = await db.getPrefix(prefix);
      t.deepEqual(pairs(now.kvs), [`${prefix}a=1`, `${prefix}b=2`]);
      t.deepEqual(
        now.kvs.map(({ modRevision }) => modRevision),
        [before + 1n, before + 1n],
      );
    },
  );

  add('the other branch is done where a compare does not hold', async (t, { db, prefix }) => {
    const done = await db.txn({
      compare: [{ key: utf8(prefix), target: 'VERSION', result: 'GREATER', version: 0n }],
      success: [put(`${prefix}yes`, '1')],
      failure: [put(`${prefix}no`, '1')],
    });
    t.false(done.succeeded);
    t.deepEqual(pairs((await db.getPrefix(prefix)).kvs), [`${prefix}no=1`]);
  });

  add('a transaction that writes nothing makes no revision', async (t, { db, prefix }) => {
    const before = await db.revision();
    const done = await db.txn({ success: [read(prefix), remove(prefix)] });
    t.true(done.succeeded);
    t.is(done.header?.revision, before);
    t.is((await db.txn({ success: [read(prefix)] })).header?.revision, before);
    t.is((await db.txn({})).header?.revision, before);
  });

  add(
    'a nested transaction compares with what was before the outer one',
    async (t, { db, prefix }) => {
      const nested = {
        compare: [{ key: utf8(`${prefix}a`), target: 'VERSION', result: 'EQUAL', version: 0n }],
        success: [put(`${prefix}then`, '1')],
        failure: [put(`${prefix}else`, '1')],
      } as const;
      const done = await db.txn({ success: [{ requestTxn: nested }, put(`${prefix}a`, '1')] });
      t.true(done.responses[0]?.responseTxn?.succeeded);
      t.is(done.responses[0]?.responseTxn?.responses.length, 1);
      t.deepEqual(pairs((await db.getPrefix(prefix)).kvs), [`${prefix}a=1`, `${prefix}then=1`]);
      const again = await db.txn({ success: [{ requestTxn: nested }] });
      t.true(again.succeeded);
      t.false(again.responses[0]?.responseTxn?.succeeded);
    },
  );

  add('a key is not written twice by one transaction', async (t, { db, prefix }) => {
    const txn = (success: Input<RequestOp>[]) => refusal(db.kv.txn({ success }, patience));
    const [a, b] = [`${prefix}a`, `${prefix}b`];
    t.is(await txn([put(a, '1'), put(a, '2')]), duplicate);
    t.is(await txn([put(a, '1'), remove(a)]), duplicate);
    t.is(await txn([remove(prefix, endOf(prefix)), put(b, '1')]), duplicate);
    t.is(await txn([put(a, '1'), { requestTxn: { success: [put(a, '2')] } }]), duplicate);
    const exclusive = { requestTxn: { success: [put(a, '1')], failure: [put(a, '2')] } };
    t.is(await txn([exclusive, put(b, '1')]), 'served');
    t.is(await txn([remove(a), remove(prefix, endOf(prefix))]), 'served');
  });

  add(
    'a transaction of which one operation cannot be done does nothing',
    async (t, { db, prefix }) => {
      const before = await db.revision();
      const txn = (success: Input<RequestOp>[]) => refusal(db.kv.txn({ success }, patience));
      const [first, second] = [put(`${prefix}a`, '1'), utf8(`${prefix}b`)];
      t.is(
        await txn([first, { requestPut: { key: second, lease: 4242n } }]),
        'NOT_FOUND etcdserver: requested lease not found',
      );
      t.is(
        await txn([first, { requestPut: { key: second, ignoreValue: true } }]),
        'INVALID_ARGUMENT etcdserver: key not found',
      );
      t.is(
        await txn([first, { requestRange: { key: second, revision: before + 100n } }]),
        'OUT_OF_RANGE etcdserver: mvcc: required revision is a future revision',
      );
      t.is(
        await txn([first, { requestPut: { value: utf8('no key') } }]),
        'INVALID_ARGUMENT etcdserver: key is not provided',
      );
      const many = Array.from({ length: 129 }, (_, index) => put(`${prefix}${index}`, '1'));
      t.is(await txn(many), 'INVALID_ARGUMENT etcdserver: too many operations in txn request');
      t.is(await db.revision(), before);
      t.is(await txn(many.slice(1)), 'served');
      t.is((await db.getPrefix(prefix, { countOnly: true })).count, 128n);
    },
  );

  add(
    'of many that compare and swap at once, each succeeds in its turn',
    async (t, { clients, prefix }) => {
      const [first] = clients;
      await first?.put(`${prefix}n`, '0');
      const increment = async (client: (typeof clients)[number]) => {
        for (;;) {
          const [record] = (await client.get(`${prefix}n`)).kvs;
          const done = await client.txn({
            compare: [
              {
                key: utf8(`${prefix}n`),
                target: 'MOD',
                result: 'EQUAL',
                modRevision: record?.modRevision ?? 0n,
              },
            ],
            success: [put(`${prefix}n`, `${Number(text(record?.value)) + 1}`)],
          });
          if (done.succeeded) return;
        }
      };
      await Promise.all(clients.flatMap((client) => [increment(client), increment(client)]));
      const sum = (await first?.get(`${prefix}n`))?.kvs ?? [];
      t.deepEqual(pairs(sum), [`${prefix}n=${2 * clients.length}`]);
    },
  );
}
