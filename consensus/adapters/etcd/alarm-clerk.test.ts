import test from 'ava';
import { bytes } from '../../../base/units.ts';
import { LocalReplica } from '../../../test/fixtures/local-replica.ts';
import { ManualClock } from '../../../test/fixtures/manual-clock.ts';
import type { Alarm } from '../../kv/alarm.ts';
import { encodeCommand } from '../../kv/command-codec.ts';
import type { PutRequest } from '../../kv/request.ts';
import { Store } from '../../kv/store.ts';
import type { LeaseId, Revision } from '../../kv/version.ts';
import { keepAlarms } from './alarm-clerk.ts';
import { EtcdMember } from './member.ts';

function put(key: string): PutRequest {
  return {
    kind: 'put',
    key: key as PutRequest['key'],
    value: 'v'.repeat(1000) as PutRequest['value'],
    lease: 0n as LeaseId,
    withPrevious: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}

function setUp() {
  const store = new Store();
  const replica = new LocalReplica(store);
  const clock = new ManualClock();
  const parts = { store, replica, clusterId: 1n, peerScheme: 'http' } as const;
  const member = new EtcdMember({ ...parts, quota: bytes(10_000), versionOf: () => null });
  const stop = keepAlarms(member, clock);
  const causes = () => store.alarms.all().map((each) => `${each.member} ${each.cause}`);
  const raise = (alarm: Alarm) => store.apply(0, encodeCommand({ kind: 'raise', alarm }));
  return { store, replica, clock, member, stop, causes, raise };
}

test('a full disk raises an alarm at once, which stops nobody, and ends when there is room', async (t) => {
  const { replica, clock, member, causes } = setUp();
  replica.set({ disk: 'full' });
  await clock.pass(1);
  t.deepEqual(causes(), ['1 disk']);
  t.true((await member.propose(put('a'))).ok);
  replica.set({ disk: 'good' });
  await clock.pass(1);
  t.deepEqual(causes(), []);
});

test('the write that meets the quota raises an alarm, which ends when a tenth is free', async (t) => {
  const { store, clock, member, causes } = setUp();
  let written = 0;
  while ((await member.propose(put(`${written}`))).ok) written += 1;
  t.deepEqual(causes(), ['1 quota']);
  const size = store.size;
  await clock.pass(2);
  t.deepEqual(causes(), ['1 quota']);
  const [from, to] = [put('0').key, put('3').key];
  const range = { kind: 'span', from, to } as const;
  t.true((await member.propose({ kind: 'delete', range, withPrevious: false })).ok);
  t.true((await member.propose({ kind: 'compact', revision: store.revision as Revision })).ok);
  while (store.trim(100));
  t.true(store.size < size);
  await clock.pass(1);
  t.deepEqual(causes(), []);
  t.true((await member.propose(put('again'))).ok);
});

test('what somebody asked for stays, and the leader ends the alarms of who was removed', async (t) => {
  const { replica, clock, causes, raise } = setUp();
  raise({ member: 2, kind: 'no-space', cause: 'asked' });
  raise({ member: 3, kind: 'no-space', cause: 'quota' });
  replica.become(2);
  await clock.pass(1);
  t.deepEqual(causes(), ['2 asked', '3 quota']);
  replica.become(1);
  await clock.pass(1);
  t.deepEqual(causes(), ['2 asked']);
});
