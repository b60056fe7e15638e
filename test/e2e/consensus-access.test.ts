import { execFile, spawnSync } from 'node:child_process';
import test from 'ava';
import type { Foundation } from '../../consensus/kv/auth/change.ts';
import { prefixEnd, textBytes } from '../../consensus/kv/byte-string.ts';
import {
  answer,
  endOf,
  type PoolDatabaseClient,
  patience,
  refusal,
  text,
  utf8,
} from '../contract/pool-database-client.ts';
import { AccessPool } from './access-pool.ts';

/** Debian: `apt-get install etcd-client`. */
const hasEtcdctl = spawnSync('etcdctl', ['version']).status === 0;

const served = 'served';
const denied = 'PERMISSION_DENIED etcdserver: permission denied';

/** `ann` may do everything below `/a/`, and read `/b/`. */
const rights: Foundation = {
  roles: [
    {
      name: textBytes('a'),
      permissions: (['/a/', '/b/'] as const).map((prefix) => ({
        access: prefix === '/a/' ? 'readwrite' : 'read',
        range: { kind: 'span', from: textBytes(prefix), to: prefixEnd(textBytes(prefix)) },
      })),
    },
  ],
  users: [
    { name: textBytes('operator'), roles: [textBytes('root')] },
    { name: textBytes('ann'), roles: [textBytes('a')] },
  ],
};

let pool: AccessPool | null = null;
const running = (): AccessPool => {
  if (pool === null) throw new Error('the pool was not started');
  return pool;
};

test.before(async (t) => {
  t.timeout(120_000);
  pool = await AccessPool.start(3, rights);
});
test.after.always(() => pool?.close());

/** Every kind of request, as a client makes it; each changes nothing that others depend on. */
function requests(db: PoolDatabaseClient): Readonly<Record<string, () => Promise<string>>> {
  const put = { key: utf8('/a/1'), value: utf8('x') };
  const asked = (call: () => Parameters<typeof refusal>[0]) => () => refusal(call());
  return {
    range: asked(() => db.kv.range({ key: utf8('/a/1') }, patience)),
    'range elsewhere': asked(() => db.kv.range({ key: utf8('/c/1') }, patience)),
    'serializable range elsewhere': asked(() =>
      db.kv.range({ key: utf8('/c/1'), serializable: true }, patience),
    ),
    put: asked(() => db.kv.put(put, patience)),
    'put elsewhere': asked(() => db.kv.put({ ...put, key: utf8('/b/1') }, patience)),
    delete: asked(() => db.kv.deleteRange({ key: utf8('/a/9') }, patience)),
    'delete elsewhere': asked(() => db.kv.deleteRange({ key: utf8('/b/9') }, patience)),
    txn: asked(() => db.kv.txn({ success: [{ requestPut: put }] }, patience)),
    'txn elsewhere': asked(() =>
      db.kv.txn(
        { failure: [{ requestTxn: { success: [{ requestRange: { key: utf8('/c') } }] } }] },
        patience,
      ),
    ),
    compact: asked(() => db.kv.compact({ revision: 1n }, patience)),
    'lease grant': asked(() => db.lease.leaseGrant({ TTL: 60n }, patience)),
    'lease list': asked(() => db.lease.leaseLeases({}, patience)),
    'member list': asked(() => db.cluster.memberList({}, patience)),
    'member add': asked(() =>
      db.cluster.memberAdd({ peerURLs: ['https://127.0.0.1:1'], isLearner: true }, patience),
    ),
    'member remove': asked(() => db.cluster.memberRemove({ ID: 5n }, patience)),
    'member update': asked(() =>
      db.cluster.memberUpdate({ ID: 5n, peerURLs: ['https://127.0.0.1:1'] }, patience),
    ),
    'member promote': asked(() => db.cluster.memberPromote({ ID: 5n }, patience)),
    status: asked(() => db.maintenance.status({}, patience)),
    'alarm list': asked(() => db.maintenance.alarm({}, patience)),
    'alarm disarm': asked(() =>
      db.maintenance.alarm({ action: 'DEACTIVATE', alarm: 'NOSPACE' }, patience),
    ),
    defragment: asked(() => db.maintenance.defragment({}, patience)),
    hash: asked(() => db.maintenance.hash({}, patience)),
    'hash of keys': asked(() => db.maintenance.hashKV({}, patience)),
    'move leader': asked(() => db.maintenance.moveLeader({ targetID: 5n }, patience)),
    'user list': asked(() => db.auth.userList({}, patience)),
    'auth status': asked(() => db.auth.authStatus({}, patience)),
  };
}

/** What became of each request, and of the streams. */
async function outcomes(db: PoolDatabaseClient): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  for (const [name, request] of Object.entries(requests(db)))
    if (name !== 'member add') seen[name] = await request();
  seen.snapshot = await new Promise((resolve) => {
    const stream = db.maintenance.snapshot({}, patience);
    stream.on('data', () => resolve(served));
    stream.on('error', (error) => resolve(error.message));
  });
  const watch = db.watch();
  try {
    const { canceled, cancelReason } = await watch.create({ key: utf8('/a/1') });
    seen.watch = canceled ? cancelReason : served;
  } catch (error) {
    seen.watch = error instanceof Error ? error.message : String(error);
  }
  return seen;
}

test.serial('each identity is served what it may do, on every member', async (t) => {
  t.timeout(60_000);
  for (let member = 0; member < running().size; member += 1) {
    const ann = await outcomes(await running().client('ann', member));
    const mayDo = ['range', 'put', 'delete', 'txn', 'watch', 'lease grant', 'lease list'];
    for (const [name, outcome] of Object.entries(ann)) {
      const isOpen = ['member list', 'status', 'alarm list'].includes(name);
      if (mayDo.includes(name) || isOpen) t.is(outcome, served, name);
      else t.regex(outcome, /permission denied/i, name);
    }
    const stranger = await outcomes(await running().client('stranger', member));
    for (const [name, outcome] of Object.entries(stranger)) {
      const isOpen = ['member list', 'status', 'alarm list'].includes(name);
      if (isOpen) t.is(outcome, served, name);
      else t.regex(outcome, /permission denied/i, name);
    }
  }
  const operator = await outcomes(await running().client('operator'));
  for (const [name, outcome] of Object.entries(operator))
    t.notRegex(outcome, /permission denied/i, name);
});

test.serial('a renewal needs the right to write what the lease keeps', async (t) => {
  t.timeout(60_000);
  const [operator, ann] = [await running().client('operator'), await running().client('ann', 1)];
  const { ID } = await answer(operator.lease.leaseGrant({ TTL: 600n }, patience));
  await operator.put('/c/kept', 'x', ID);
  const renewal = (db: PoolDatabaseClient) =>
    new Promise<string>((resolve) => {
      const stream = db.lease.leaseKeepAlive(patience);
      stream.on('data', ({ TTL }: { TTL: bigint }) => resolve(`${TTL}`));
      stream.on('error', (error) => resolve(error.message));
      stream.write({ ID });
    });
  t.is(await renewal(operator), '600');
  t.regex(await renewal(ann), /permission denied/);
  const keys = (db: PoolDatabaseClient) =>
    refusal(db.lease.leaseTimeToLive({ ID, keys: true }, patience));
  t.deepEqual([await keys(operator), await keys(ann)], [served, denied]);
});

test.serial(
  'a right that was taken away is gone on every member, for what is under way too',
  async (t) => {
    t.timeout(120_000);
    const { auth } = await running().client('operator');
    const writers = await Promise.all([0, 1, 2].map((member) => running().client('ann', member)));
    const operator = await running().client('operator', 1);
    const watch = (writers[2] ?? operator).watch();
    await watch.create({ key: utf8('/a/'), rangeEnd: endOf('/a/') });
    for (let round = 0; round < 5; round += 1) {
      let takenAt = Number.POSITIVE_INFINITY;
      let isOver = false;
      const acknowledged = new Set<string>();
      let [late, refusals] = [0, 0];
      const write = async (db: PoolDatabaseClient, writer: number) => {
        for (let count = 0; !isOver; count += 1) {
          const key = `/a/race/${round}/${writer}/${count}`;
          const begun = performance.now();
          const outcome = await refusal(db.kv.put({ key: utf8(key) }, patience));
          if (outcome === served) {
            acknowledged.add(key);
            if (begun > takenAt) late += 1;
          } else {
            t.is(outcome, denied);
            refusals += 1;
          }
        }
      };
      const writing = writers.map((db, writer) => write(db, writer));
      await new Promise((resolve) => setTimeout(resolve, 100));
      await answer(auth.userRevokeRole({ name: 'ann', role: 'a' }, patience));
      takenAt = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 100));
      isOver = true;
      await Promise.all(writing);
      t.is(late, 0);
      t.true(refusals > 0 && acknowledged.size > 0);
      const { kvs } = await operator.getPrefix(`/a/race/${round}/`, { keysOnly: true });
      t.deepEqual(
        kvs.map(({ key }) => text(key)),
        [...acknowledged].sort(),
      );
      const reads = await Promise.all(
        writers.map((db) => refusal(db.kv.range({ key: utf8('/a/1') }, patience))),
      );
      t.deepEqual(reads, [denied, denied, denied]);
      await answer(auth.userGrantRole({ user: 'ann', role: 'a' }, patience));
      const granted = await Promise.all(
        writers.map((db) => refusal(db.kv.put({ key: utf8('/a/1') }, patience))),
      );
      t.deepEqual(granted, [served, served, served], 'also where a member has not heard of it yet');
    }
  },
);

test.serial('a watch shows nothing of what came after its right was taken away', async (t) => {
  t.timeout(60_000);
  const operator = await running().client('operator');
  const watch = (await running().client('ann', 2)).watch();
  await watch.create({ key: utf8('/a/'), rangeEnd: endOf('/a/') });
  await operator.put('/a/seen', '1');
  t.is((await watch.events(1)).length, 1);
  await answer(operator.auth.userRevokeRole({ name: 'ann', role: 'a' }, patience));
  await operator.put('/a/secret', '1');
  const { canceled, cancelReason, events } = await watch.next();
  t.like({ canceled, events }, { canceled: true, events: [] });
  t.regex(cancelReason, /permission denied/);
  await answer(operator.auth.userGrantRole({ user: 'ann', role: 'a' }, patience));
});

test.serial(
  'rights outlive a restart of all members, whatever their configuration says',
  async (t) => {
    t.timeout(120_000);
    const before = await running().client('operator');
    await answer(before.auth.roleAdd({ name: 'added' }, patience));
    await answer(before.auth.roleDelete({ role: 'a' }, patience));
    const { authRevision } = await answer(before.auth.authStatus({}, patience));
    await running().stopMembers();
    await running().startMembers();
    const operator = await running().client('operator', 2);
    const status = await answer(operator.auth.authStatus({}, patience));
    t.like(status, { enabled: true, authRevision });
    t.deepEqual((await answer(operator.auth.roleList({}, patience))).roles, ['added']);
    const ann = await running().client('ann', 1);
    t.is(await refusal(ann.kv.range({ key: utf8('/a/1') }, patience)), denied);
  },
);

test.serial('passwords are refused with what to do instead', async (t) => {
  t.timeout(60_000);
  const { auth } = await running().client('operator');
  t.regex(
    await refusal(auth.userAdd({ name: 'p', password: 'secret' }, patience)),
    /--no-password/,
  );
  t.regex(await refusal(auth.authenticate({ name: 'p', password: 'x' }, patience)), /certificate/);
  t.regex(
    await refusal(auth.userChangePassword({ name: 'p', password: 'x' }, patience)),
    /certificate/,
  );
});

test.serial('etcdctl looks at rights and changes them', async (t) => {
  t.timeout(60_000);
  if (!hasEtcdctl) {
    t.log('etcdctl is not installed (Debian: etcd-client)');
    t.pass();
    return;
  }
  const etcdctl = async (identity: string, ...words: readonly string[]) => {
    const { ca, certificate, key } = await running().authority.files(running().directory, identity);
    const tls = ['--cacert', ca, '--cert', certificate, '--key', key];
    const endpoints = [0, 1, 2].map((member) => running().settings(member).listenClient).join();
    return new Promise<string>((resolve) => {
      execFile('etcdctl', ['--endpoints', endpoints, ...tls, ...words], (_error, out, error) => {
        const lines = `${out}${error}`.trimEnd().split('\n');
        resolve(lines.filter((line) => !line.startsWith('{')).join('\n'));
      });
    });
  };
  const root = (...words: readonly string[]) => etcdctl('operator', ...words);
  t.is(await root('user', 'add', 'cleo', '--no-password'), 'User cleo created');
  t.regex(await root('user', 'add', 'dora:secret'), /users have no passwords here/);
  t.is(await root('role', 'add', 'reader'), 'Role reader created');
  t.is(await root('role', 'add', 'reader'), 'Error: etcdserver: role name already exists');
  t.is(
    await root('role', 'grant-permission', 'reader', 'read', '/a/', '--prefix'),
    'Role reader updated',
  );
  t.is(
    await root('role', 'get', 'reader'),
    'Role reader\nKV Read:\n\t[/a/, /a0) (prefix /a/)\nKV Write:',
  );
  t.is(await root('user', 'grant-role', 'cleo', 'reader'), 'Role reader is granted to user cleo');
  t.is(await root('user', 'list'), 'ann\ncleo\noperator');
  t.is(await root('role', 'list'), 'added\nreader');
  t.is(await root('put', '/a/cleo', '1'), 'OK');
  t.is(await etcdctl('cleo', 'get', '/a/cleo'), '/a/cleo\n1');
  t.is(await etcdctl('cleo', 'put', '/a/cleo', '2'), 'Error: etcdserver: permission denied');
  t.regex(await etcdctl('cleo', 'watch', '/b'), /watch was canceled.*permission denied/);
  t.is(await etcdctl('cleo', 'user', 'get', 'cleo'), 'User: cleo\nRoles: reader');
  t.is(
    await root('role', 'revoke-permission', 'reader', '/a/', '--prefix'),
    'Permission of range [/a/, /a0) is revoked from role reader',
  );
  t.is(await etcdctl('cleo', 'get', '/a/cleo'), 'Error: etcdserver: permission denied');
  t.is(
    await root('user', 'revoke-role', 'cleo', 'reader'),
    'Role reader is revoked from user cleo',
  );
  t.is(await root('user', 'delete', 'cleo'), 'User cleo deleted');
  t.is(await root('role', 'delete', 'reader'), 'Role reader deleted');
  t.is(await root('auth', 'disable'), 'Authentication Disabled');
  t.is(await etcdctl('stranger', 'get', '/a/cleo'), '/a/cleo\n1');
  t.is(await root('auth', 'enable'), 'Authentication Enabled');
  t.is(await etcdctl('stranger', 'get', '/a/cleo'), 'Error: etcdserver: permission denied');
});
