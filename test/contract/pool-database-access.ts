import test from 'ava';
import type { Input } from '../../proto/codec.ts';
import type { Permission_Type } from '../../proto/gen/authpb.ts';
import type { RequestOp } from '../../proto/gen/etcdserverpb.ts';
import { type AccessEngine, startAccessEngine } from './access-engine.ts';
import {
  answer,
  endOf,
  type PoolDatabaseClient,
  patience,
  refusal,
  text,
  utf8,
} from './pool-database-client.ts';

const served = 'served';
const denied = 'PERMISSION_DENIED etcdserver: permission denied';
const failed = (message: string) => `FAILED_PRECONDITION etcdserver: ${message}`;
const invalid = (message: string) => `INVALID_ARGUMENT etcdserver: ${message}`;
const noPassword = { options: { noPassword: true } };

/** What rights mean to clients, the same with the built-in engine and with etcd. */
export function poolDatabaseAccessContract(kind: 'etcd' | 'consensus'): void {
  let engine: AccessEngine | null = null;
  const clients = new Map<string, PoolDatabaseClient>();
  const as = async (name: string): Promise<PoolDatabaseClient> => {
    const known = clients.get(name) ?? (await engine?.as(name));
    if (known === undefined) throw new Error('the engine was not started');
    clients.set(name, known);
    return known;
  };

  test.before(`${kind}: starts`, async (t) => {
    t.timeout(60_000);
    engine = await startAccessEngine(kind);
  });
  test.after.always(`${kind}: closes`, () => engine?.close());

  test.serial(`${kind}: rights are enforced once somebody has the role root`, async (t) => {
    t.timeout(60_000);
    const { auth, kv } = await as('root');
    const enable = () => refusal(auth.authEnable({}, patience));
    t.is(await refusal(kv.put({ key: utf8('/a/0'), value: utf8('0') }, patience)), served);
    t.is(await enable(), failed('root user does not exist'));
    t.is(await refusal(auth.userAdd({ name: 'root', ...noPassword }, patience)), served);
    t.is(await enable(), failed('root user does not have root role'));
    t.is(await refusal(auth.roleAdd({ name: 'root' }, patience)), served);
    t.is(await refusal(auth.userGrantRole({ user: 'root', role: 'root' }, patience)), served);
    t.is(await enable(), served);
    t.is(await enable(), served, 'once more is nothing');
  });

  test.serial(
    `${kind}: users and roles are kept, and mistakes are told as etcd does`,
    async (t) => {
      t.timeout(60_000);
      const { auth } = await as('root');
      const permission = (key: string, permType: Permission_Type, rangeEnd = '') => ({
        name: 'r1',
        perm: { permType, key: utf8(key), rangeEnd: utf8(rangeEnd) },
      });
      const calls: readonly (readonly [Promise<string>, string])[] = [
        [
          refusal(auth.userAdd({ name: 'root', ...noPassword }, patience)),
          failed('user name already exists'),
        ],
        [
          refusal(auth.userAdd({ name: '', ...noPassword }, patience)),
          invalid('user name is empty'),
        ],
        [refusal(auth.roleAdd({ name: '' }, patience)), invalid('role name is empty')],
        [refusal(auth.roleAdd({ name: 'root' }, patience)), failed('role name already exists')],
        [refusal(auth.roleGet({ role: 'nope' }, patience)), failed('role name not found')],
        [refusal(auth.roleDelete({ role: 'nope' }, patience)), failed('role name not found')],
        [refusal(auth.userGet({ name: 'nope' }, patience)), failed('user name not found')],
        [refusal(auth.userDelete({ name: 'nope' }, patience)), failed('user name not found')],
        [
          refusal(auth.userGrantRole({ user: 'root', role: 'nope' }, patience)),
          failed('role name not found'),
        ],
        [
          refusal(auth.userGrantRole({ user: 'nope', role: 'root' }, patience)),
          failed('user name not found'),
        ],
        [refusal(auth.userDelete({ name: 'root' }, patience)), invalid('invalid auth management')],
        [
          refusal(auth.userRevokeRole({ name: 'root', role: 'root' }, patience)),
          invalid('invalid auth management'),
        ],
        [refusal(auth.roleDelete({ role: 'root' }, patience)), invalid('invalid auth management')],
        [
          refusal(auth.roleGrantPermission(permission('/a/', 'READ'), patience)),
          failed('role name not found'),
        ],
      ];
      for (const [got, wanted] of calls) t.is(await got, wanted);
      for (const name of ['r1', 'r2', 'r3']) await answer(auth.roleAdd({ name }, patience));
      for (const name of ['ann', 'bob'])
        await answer(auth.userAdd({ name, ...noPassword }, patience));
      await answer(auth.roleGrantPermission(permission('/c', 'WRITE'), patience));
      await answer(auth.roleGrantPermission(permission('/a/', 'READ', '/a0'), patience));
      await answer(auth.roleGrantPermission(permission('/a/', 'READWRITE', '/a0'), patience));
      await answer(auth.roleGrantPermission(permission('/b/', 'READ', '/b0'), patience));
      const revoke = { role: 'r1', key: utf8('/b/'), rangeEnd: utf8('/bb') };
      t.is(
        await refusal(auth.roleRevokePermission(revoke, patience)),
        failed('permission is not granted to the role'),
      );
      const { perm } = await answer(auth.roleGet({ role: 'r1' }, patience));
      t.deepEqual(
        perm.map((each) => `${each.permType} ${text(each.key)} ${text(each.rangeEnd)}`),
        ['READWRITE /a/ /a0', 'READ /b/ /b0', 'WRITE /c '],
      );
      t.is(
        await refusal(auth.userRevokeRole({ name: 'ann', role: 'r2' }, patience)),
        failed('role is not granted to the user'),
      );
      for (const role of ['r3', 'r2', 'r1', 'r1'])
        await answer(auth.userGrantRole({ user: 'ann', role }, patience));
      t.deepEqual((await answer(auth.userGet({ name: 'ann' }, patience))).roles, [
        'r1',
        'r2',
        'r3',
      ]);
      await answer(auth.roleDelete({ role: 'r3' }, patience));
      t.deepEqual((await answer(auth.userGet({ name: 'ann' }, patience))).roles, ['r1', 'r2']);
      t.deepEqual((await answer(auth.userList({}, patience))).users, ['ann', 'bob', 'root']);
      t.deepEqual((await answer(auth.roleList({}, patience))).roles, ['r1', 'r2', 'root']);
    },
  );

  test.serial(
    `${kind}: a request is served where roles together allow all of its keys`,
    async (t) => {
      t.timeout(60_000);
      const ann = await as('ann');
      const range = (key: string, rangeEnd = '') =>
        refusal(ann.kv.range({ key: utf8(key), rangeEnd: utf8(rangeEnd) }, patience));
      t.is(await range('/a/0'), served);
      t.is(await range('/a/', '/a0'), served);
      t.is(await range('/a/x', '/a/y'), served);
      t.is(await range('/a/', '/a1'), denied);
      t.is(await range('/a', '/a0'), denied);
      t.is(await range('/b/1'), served);
      t.is(await range('/a/', '/b0'), denied, 'there is a gap between them');
      t.is(await range('/c'), denied);
      t.is(await range('/a/', '\0'), denied);
      t.is(await range('\0', '\0'), denied);
      const root = await as('root');
      const gap = { permType: 'READ' as const, key: utf8('/a0'), rangeEnd: utf8('/b/') };
      await answer(root.auth.roleGrantPermission({ name: 'r2', perm: gap }, patience));
      t.is(await range('/a/', '/b0'), served, 'another role closes the gap');
      t.is(await range('/a/', '/b1'), denied);
      const put = (key: string, prevKv = false) =>
        refusal(ann.kv.put({ key: utf8(key), value: utf8('v'), prevKv }, patience));
      t.deepEqual([await put('/a/1'), await put('/c')], [served, served]);
      t.deepEqual([await put('/b/1'), await put('/d')], [denied, denied]);
      t.deepEqual([await put('/c', true), await put('/a/1', true)], [denied, served]);
      const remove = (key: string, rangeEnd: string, prevKv = false) =>
        refusal(ann.kv.deleteRange({ key: utf8(key), rangeEnd: utf8(rangeEnd), prevKv }, patience));
      t.is(await remove('/c', '', true), denied);
      t.is(await remove('/c', ''), served);
      t.is(await remove('/a/', '/a0', true), served);
      t.is(await remove('/a/', '/a1'), denied);
    },
  );

  test.serial(
    `${kind}: of a transaction all compares and both branches must be allowed`,
    async (t) => {
      t.timeout(60_000);
      const ann = await as('ann');
      const compare = (key: string) => [
        { key: utf8(key), target: 'VERSION' as const, result: 'EQUAL' as const, version: 0n },
      ];
      const put = (key: string): Input<RequestOp> => ({
        requestPut: { key: utf8(key), value: utf8('t') },
      });
      const read = (key: string): Input<RequestOp> => ({ requestRange: { key: utf8(key) } });
      const txn = (request: Parameters<typeof ann.kv.txn>[0]) =>
        refusal(ann.kv.txn(request, patience));
      t.is(
        await txn({ compare: compare('/a/t'), success: [put('/a/t')], failure: [read('/b/')] }),
        served,
      );
      t.is(await txn({ compare: compare('/d'), success: [put('/a/t')] }), denied);
      t.is(await txn({ success: [put('/a/t'), put('/b/t')] }), denied);
      t.is(
        await txn({ success: [put('/a/t')], failure: [put('/b/t')] }),
        denied,
        'not taken, yet asked',
      );
      t.is(await txn({ success: [read('/d')] }), denied);
      const nested = (operation: Input<RequestOp>) =>
        txn({ success: [{ requestTxn: { failure: [operation] } }] });
      t.is(await nested(put('/a/u')), served);
      // etcd 3.4 does not look into nested transactions.
      t.is(await nested(put('/d')), kind === 'etcd' ? served : denied);
    },
  );

  test.serial(`${kind}: a watch is judged when it is created`, async (t) => {
    t.timeout(60_000);
    const ann = await as('ann');
    const allowed = ann.watch();
    await allowed.create({ key: utf8('/a/'), rangeEnd: endOf('/a/') });
    await ann.put('/a/watched', '1');
    t.is((await allowed.events(1)).length, 1);
    const refused = ann.watch();
    refused.send({ createRequest: { key: utf8('/d/'), rangeEnd: endOf('/d/') } });
    const { canceled, created, cancelReason } = await refused.next();
    t.like({ canceled, created }, { canceled: true, created: true });
    t.regex(cancelReason, /etcdserver: permission denied/);
  });

  test.serial(`${kind}: a lease is ended by who may write its keys`, async (t) => {
    t.timeout(60_000);
    const [root, ann] = [await as('root'), await as('ann')];
    const { ID } = await answer(ann.lease.leaseGrant({ TTL: 600n }, patience));
    await ann.put('/a/leased', 'x', ID);
    await root.put('/d/leased', 'x', ID);
    const attach = ann.kv.put({ key: utf8('/a/more'), value: utf8('x'), lease: ID }, patience);
    t.is(await refusal(attach), denied);
    t.is(await refusal(ann.lease.leaseRevoke({ ID }, patience)), denied);
    t.is(await refusal(root.lease.leaseRevoke({ ID }, patience)), served);
    t.is((await root.get('/a/leased')).count, 0n);
  });

  test.serial(
    `${kind}: who is no user may ask who the members are, and read nothing`,
    async (t) => {
      t.timeout(60_000);
      const stranger = await as('stranger');
      t.is(await refusal(stranger.cluster.memberList({}, patience)), served);
      t.is(await refusal(stranger.maintenance.status({}, patience)), served);
      t.is(await refusal(stranger.kv.range({ key: utf8('/a/0') }, patience)), denied);
      t.is(await refusal(stranger.kv.put({ key: utf8('/a/0') }, patience)), denied);
    },
  );

  test.serial(
    `${kind}: only root changes rights and members, and a user sees itself`,
    async (t) => {
      t.timeout(60_000);
      const { auth, cluster } = await as('ann');
      t.is(await refusal(auth.userGet({ name: 'ann' }, patience)), served);
      t.is(await refusal(auth.roleGet({ role: 'r1' }, patience)), served);
      const refused = [
        auth.userGet({ name: 'bob' }, patience),
        auth.roleGet({ role: 'root' }, patience),
        auth.userList({}, patience),
        auth.roleList({}, patience),
        auth.userAdd({ name: 'eve', ...noPassword }, patience),
        auth.userDelete({ name: 'bob' }, patience),
        auth.userGrantRole({ user: 'ann', role: 'root' }, patience),
        auth.userRevokeRole({ name: 'ann', role: 'r1' }, patience),
        auth.roleAdd({ name: 'r9' }, patience),
        auth.roleDelete({ role: 'r1' }, patience),
        auth.roleGrantPermission({ name: 'r1', perm: { key: utf8('/') } }, patience),
        auth.roleRevokePermission({ role: 'r1', key: utf8('/c') }, patience),
        auth.authDisable({}, patience),
        cluster.memberAdd({ peerURLs: ['https://127.0.0.1:1'] }, patience),
        cluster.memberRemove({ ID: 1n }, patience),
      ];
      for (const call of refused) t.is(await refusal(call), denied);
    },
  );

  test.serial(
    `${kind}: what is changed holds from the next request on, until it is disabled`,
    async (t) => {
      t.timeout(60_000);
      const [root, ann] = [await as('root'), await as('ann')];
      const read = () => refusal(ann.kv.range({ key: utf8('/a/0') }, patience));
      t.is(await read(), served);
      await answer(root.auth.userRevokeRole({ name: 'ann', role: 'r1' }, patience));
      t.is(await read(), denied);
      await answer(root.auth.userGrantRole({ user: 'ann', role: 'r1' }, patience));
      t.is(await read(), served);
      const right = { role: 'r1', key: utf8('/a/'), rangeEnd: utf8('/a0') };
      await answer(root.auth.roleRevokePermission(right, patience));
      t.is(await read(), denied);
      await answer(root.auth.userDelete({ name: 'ann' }, patience));
      t.is(await read(), denied);
      await answer(root.auth.authDisable({}, patience));
      t.is(await read(), served);
      t.is(await refusal(root.auth.userDelete({ name: 'root' }, patience)), served);
    },
  );
}
