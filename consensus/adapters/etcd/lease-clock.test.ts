import test from 'ava';
import { bytes } from '../../../base/units.ts';
import { LocalReplica } from '../../../test/fixtures/local-replica.ts';
import { ManualClock } from '../../../test/fixtures/manual-clock.ts';
import { encodeCommand } from '../../kv/command-codec.ts';
import type { Command } from '../../kv/request.ts';
import { Store } from '../../kv/store.ts';
import type { LeaseId } from '../../kv/version.ts';
import { LeaseClock } from './lease-clock.ts';
import { EtcdMember } from './member.ts';

const lease = 7n as LeaseId;

function setUp() {
  const store = new Store();
  const replica = new LocalReplica(store);
  const clock = new ManualClock();
  const member = new EtcdMember({
    store,
    replica,
    clusterId: 1n,
    peerScheme: 'http',
    quota: bytes(2 ** 30),
    versionOf: () => null,
  });
  const leases = new LeaseClock(member, clock);
  const remaining = (id: LeaseId): number => leases.remaining(id);
  const apply = (command: Command) => store.apply(0, encodeCommand(command));
  const grant = (ttl: number, id = lease) => apply({ kind: 'grant', id, ttl });
  const renew = () => apply({ kind: 'renew', ids: [lease] });
  const lives = () => store.lease(lease) !== undefined;
  return { store, replica, clock, remaining, grant, renew, lives };
}

test('a lease ends when its time is over, not before', async (t) => {
  const { clock, grant, lives, remaining } = setUp();
  grant(10);
  t.is(remaining(lease), 10_000);
  await clock.pass(9.75);
  t.true(lives());
  t.is(remaining(lease), 250);
  await clock.pass(0.75);
  t.false(lives());
  t.is(remaining(lease), 0);
});

test('a renewal gives a lease its whole time again', async (t) => {
  const { clock, grant, renew, lives } = setUp();
  grant(10);
  for (let round = 0; round < 5; round += 1) {
    await clock.pass(9);
    renew();
  }
  t.true(lives());
  await clock.pass(11);
  t.false(lives());
});

test('a follower expires nothing, and a new leader gives every lease its whole time', async (t) => {
  const { clock, replica, grant, lives, remaining } = setUp();
  grant(10);
  replica.become(2);
  await clock.pass(60);
  t.true(lives());
  t.deepEqual(replica.proposed, []);
  replica.become(1);
  t.is(remaining(lease), 10_000);
  await clock.pass(9.75);
  t.true(lives());
  await clock.pass(0.75);
  t.false(lives());
});

test('an expiry that a renewal overtakes does nothing', async (t) => {
  const { clock, replica, grant, renew, lives } = setUp();
  grant(10);
  const held: (() => void)[] = [];
  replica.held = held;
  await clock.pass(11);
  t.is(held.length, 1);
  renew();
  for (const apply of held) apply();
  replica.held = null;
  await clock.pass(9);
  t.true(lives());
  await clock.pass(2);
  t.false(lives());
});

test('time in which the process was stopped does not count', async (t) => {
  const { clock, grant, lives, renew } = setUp();
  grant(10);
  await clock.pass(5);
  await clock.jump(3_600_000);
  t.true(lives());
  renew();
  await clock.pass(9.5);
  t.true(lives());
});

test('leases by the thousand expire in commands of a bounded size', async (t) => {
  const { store, clock, replica, grant } = setUp();
  for (let id = 1; id <= 2500; id += 1) grant(5, BigInt(id) as LeaseId);
  await clock.pass(7);
  t.deepEqual([...store.leases()], []);
  t.is(replica.proposed.length, 3);
});

test('a lease that a snapshot brings has its whole time, and one that it lacks has none', async (t) => {
  const { store, clock, grant, lives, remaining } = setUp();
  const other = setUp();
  other.grant(20);
  grant(10, 8n as LeaseId);
  t.true(store.restore(other.store.snapshot()).ok);
  t.is(remaining(lease), 20_000);
  t.is(remaining(8n as LeaseId), 0);
  await clock.pass(19);
  t.true(lives());
});
