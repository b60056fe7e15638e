import { ServerCredentials } from '@grpc/grpc-js';
import test from 'ava';
import { bytes } from '../../../../base/units.ts';
import {
  answer,
  PoolDatabaseClient,
  patience,
  refusal,
  utf8,
} from '../../../../test/contract/pool-database-client.ts';
import { startMemberInMemory } from '../../../../test/contract/pool-database-member.ts';
import { LocalReplica } from '../../../../test/fixtures/local-replica.ts';
import { ManualClock } from '../../../../test/fixtures/manual-clock.ts';
import type { Foundation } from '../../../kv/auth/change.ts';
import { emptyBytes, prefixEnd, textBytes } from '../../../kv/byte-string.ts';
import { encodeCommand } from '../../../kv/command-codec.ts';
import type { PutRequest } from '../../../kv/request.ts';
import { Store } from '../../../kv/store.ts';
import type { LeaseId } from '../../../kv/version.ts';
import { startAlone } from '../../memory/alone.ts';
import { EtcdMember } from '../member.ts';
import { serveEtcd } from '../server.ts';
import { authFailures } from './failures.ts';

const prefix = textBytes('/a/');
const foundation: Foundation = {
  roles: [
    {
      name: textBytes('a'),
      permissions: [
        { access: 'readwrite', range: { kind: 'span', from: prefix, to: prefixEnd(prefix) } },
      ],
    },
  ],
  users: [
    { name: textBytes('operator'), roles: [textBytes('root')] },
    { name: textBytes('ann'), roles: [textBytes('a')] },
  ],
};

function put(key: string): PutRequest {
  return {
    ...{ kind: 'put', key: textBytes(key), value: emptyBytes, lease: 0n as LeaseId },
    ...{ withPrevious: false, ignoreValue: false, ignoreLease: false },
  };
}

test('plain text has no identity: once rights are enforced it is refused', async (t) => {
  const member = await startMemberInMemory();
  const db = new PoolDatabaseClient(member.address);
  await db.put('/a/1', 'x');
  const user = { name: 'root', options: { noPassword: true } };
  await answer(db.auth.userAdd(user, patience));
  await answer(db.auth.userGrantRole({ user: 'root', role: 'root' }, patience));
  const watch = db.watch();
  await watch.create({ key: utf8('/a/1') });
  await answer(db.auth.authEnable({}, patience));
  const refused = 'INVALID_ARGUMENT etcdserver: user name is empty';
  const calls = [
    db.kv.range({ key: utf8('/a/1') }, patience),
    db.kv.put({ key: utf8('/a/1') }, patience),
    db.kv.txn({}, patience),
    db.lease.leaseGrant({ TTL: 60n }, patience),
    db.cluster.memberList({}, patience),
    db.maintenance.status({}, patience),
    db.auth.authDisable({}, patience),
  ];
  for (const call of calls) t.is(await refusal(call), refused);
  await t.throwsAsync(db.watch().create({ key: utf8('/a/1') }), { message: /user name is empty/ });
  // A member's own command: what a watch of before has to show now is not shown.
  member.store.apply(
    0,
    encodeCommand({ kind: 'asked', user: textBytes('root'), command: put('/a/1') }),
  );
  t.like(await watch.next(), { canceled: true, events: [] });
  db.close();
  await member.close();
});

test('rights that come to be enforced while a read is under way decide about it', async (t) => {
  const member = await startMemberInMemory();
  const db = new PoolDatabaseClient(member.address);
  await db.put('/a/1', 'x');
  const { store } = member;
  const read = store.range.bind(store);
  // As on a member that is behind: what it waits for before it reads enforces rights.
  store.range = (request) => {
    const change = { kind: 'found', ...foundation } as const;
    store.apply(0, encodeCommand({ kind: 'auth', change }));
    return read(request);
  };
  const refused = 'INVALID_ARGUMENT etcdserver: user name is empty';
  t.is(await refusal(db.kv.range({ key: utf8('/a/1') }, patience)), refused);
  db.close();
  await member.close();
});

/** A member that is behind: rights are enforced in the log, which it reaches when it asks. */
class BehindReplica extends LocalReplica {
  readonly catchUp: () => void;

  constructor(store: Store, catchUp: () => void) {
    super(store);
    this.catchUp = catchUp;
  }

  override readBarrier(): ReturnType<LocalReplica['readBarrier']> {
    this.catchUp();
    return super.readBarrier();
  }
}

test('a member that is behind catches up before it lets anybody change members', async (t) => {
  const store = new Store();
  const change = { kind: 'found', ...foundation } as const;
  let isBehind = false;
  const served = await serveEtcd({
    ...{ store, clusterId: 1n, peerScheme: 'http', quota: bytes(2 ** 30), versionOf: () => null },
    replica: new BehindReplica(store, () => {
      if (isBehind) store.apply(0, encodeCommand({ kind: 'auth', change }));
    }),
    ...{ clock: new ManualClock(), listen: '127.0.0.1:0', name: 'a', retainRevisions: 0 },
    credentials: ServerCredentials.createInsecure(),
    advertise: (bound) => `http://${bound}`,
  });
  if (!served.ok) throw new Error(served.error);
  const db = new PoolDatabaseClient(served.value.address);
  const refused = 'INVALID_ARGUMENT etcdserver: user name is empty';
  const peerURLs = ['http://127.0.0.1:1'];
  isBehind = true;
  t.is(await refusal(db.cluster.memberAdd({ peerURLs }, patience)), refused);
  db.close();
  await served.value.close();
});

test('rights that come to be enforced while a command is under way decide about it', async (t) => {
  const store = new Store();
  let before: (() => void) | null = null;
  const replica = await startAlone({
    apply: (index, command) => {
      before?.();
      before = null;
      return store.apply(index, command);
    },
    snapshot: () => store.snapshot(),
    restore: (chunks) => store.restore(chunks),
  });
  const member = new EtcdMember({
    ...{ store, replica, clusterId: 1n, peerScheme: 'http', quota: bytes(2 ** 30) },
    versionOf: () => null,
  });
  const enforce = () => {
    const change = { kind: 'found', ...foundation } as const;
    store.apply(0, encodeCommand({ kind: 'auth', change }));
  };
  const disable = () => {
    const command = { kind: 'auth', change: { kind: 'disable' } } as const;
    store.apply(0, encodeCommand({ kind: 'asked', user: textBytes('operator'), command }));
  };
  const enable = () => store.apply(0, encodeCommand({ kind: 'auth', change: { kind: 'enable' } }));

  before = enforce;
  const allowed = await member.as(textBytes('ann')).propose<'put'>(put('/a/1'));
  t.true(allowed.ok, 'asked for without a name, it was asked for again with one');
  t.is(store.revision as number, 2, 'and done once');

  const outcomes: Record<string, unknown> = {};
  for (const [who, name] of Object.entries({ ann: 'ann', stranger: 'stranger', nobody: null })) {
    disable();
    before = enable;
    const client = member.as(name === null ? null : textBytes(name));
    const done = await client.propose<'put'>(put('/b/1'));
    outcomes[who] = done.ok ? 'done' : done.error;
  }
  t.deepEqual(outcomes, {
    ann: authFailures['permission-denied'],
    stranger: authFailures['permission-denied'],
    nobody: authFailures.unauthenticated,
  });
  t.is(store.revision as number, 2);
  await replica.stop();
});
