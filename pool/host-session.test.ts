import test from 'ava';
import { seededRandom } from '../base/random.ts';
import { milliseconds } from '../base/units.ts';
import type { Failure } from './failure.ts';
import { hostLeaseTtl, hostSession } from './host-session.ts';
import { openPool } from './pool.ts';
import type { HostRecord } from './records/host.ts';
import type { HostId, Timestamp } from './records/identifiers.ts';
import { simulatedClock } from './simulated/clock.ts';
import { type SimulatedFault, simulatedDatabase } from './simulated/database.ts';

const second = milliseconds(1_000);

function host(name: string, number = 1): HostRecord {
  return {
    id: `00000000-0000-4000-8000-00000000000${number}` as HostId,
    name,
    hypervisor: 'simulated',
    hypervisorVersion: '1',
    cpus: 2,
    memoryTotal: (2 ** 30) as HostRecord['memoryTotal'],
    endpoints: { 'vm-lifecycle': '127.0.0.1:1' },
    startedAt: 1 as Timestamp,
  };
}

function world() {
  const clock = simulatedClock();
  const faults: { next: SimulatedFault } = { next: 'none' };
  const database = simulatedDatabase({ clock, fault: () => faults.next });
  const pool = openPool(database);
  const states: string[] = [];
  const failures: Failure[] = [];
  const start = (record: HostRecord) =>
    hostSession({
      pool,
      host: record,
      clock,
      random: seededRandom(1),
      onState: (state) => states.push(`${state} at ${clock.now()}`),
      onFailure: (failure) => failures.push(failure),
    });
  const isUp = async (record: HostRecord) => {
    const before = faults.next;
    faults.next = 'none';
    const read = await pool.hostLeases.get(record.id);
    faults.next = before;
    return read.ok && read.value !== null;
  };
  return { clock, faults, pool, states, failures, start, isUp };
}

test('a host is registered, is up while its lease is renewed, and down at once when it closes', async (t) => {
  const { clock, pool, states, start, isUp } = world();
  const session = start(host('host-1'));
  await clock.advance(second);
  const found = await pool.hosts.find('host-1');
  t.like(found, { ok: true, value: { record: host('host-1') } });
  await clock.advance(milliseconds(60_000));
  t.true(await isUp(host('host-1')));
  t.true((session.heldUntil() ?? 0) > clock.now());
  await session.close();
  t.false(await isUp(host('host-1')));
  t.deepEqual(states, ['up at 0']);
});

test('a host that cannot renew is told before others see it down, and registers again', async (t) => {
  const { clock, faults, states, failures, start, isUp } = world();
  const session = start(host('host-1'));
  await clock.advance(second);
  faults.next = 'refused';
  while (!states.some((state) => state.startsWith('lost'))) {
    t.true(await isUp(host('host-1')), `down before it knew, at ${clock.now()}`);
    await clock.advance(milliseconds(50));
  }
  t.is(session.heldUntil(), null);
  t.true(failures.length > 0);
  await clock.advance(hostLeaseTtl);
  t.false(await isUp(host('host-1')));
  faults.next = 'none';
  await clock.advance(milliseconds(5_000));
  t.true(await isUp(host('host-1')));
  t.is(states.length, 3);
  await session.close();
});

test('an answer that is lost does not make the host believe in a lease that it may not have', async (t) => {
  const { clock, faults, start, isUp } = world();
  const session = start(host('host-1'));
  await clock.advance(second);
  faults.next = 'unanswered';
  await clock.advance(milliseconds(60_000));
  t.is(session.heldUntil(), null);
  faults.next = 'none';
  await clock.advance(milliseconds(5_000));
  t.true(await isUp(host('host-1')));
  await session.close();
});

test('a host whose name another host has says so, and comes up when the name is free', async (t) => {
  const { clock, pool, failures, start, isUp } = world();
  const first = start(host('host-1', 1));
  await clock.advance(second);
  const second_ = start(host('host-1', 2));
  await clock.advance(second);
  t.is(failures[0]?.reason, 'NAME_TAKEN');
  t.false(await isUp(host('host-1', 2)));
  await first.close();
  const other = await pool.hosts.find('host-1');
  if (other.ok) await pool.database.transact(pool.hosts.deleting(other.value));
  await clock.advance(milliseconds(10_000));
  t.true(await isUp(host('host-1', 2)));
  await second_.close();
});
