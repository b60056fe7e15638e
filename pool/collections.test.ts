import test from 'ava';
import type { Result } from '../base/result.ts';
import { milliseconds } from '../base/units.ts';
import { commit } from './commit.ts';
import type { Failure } from './failure.ts';
import { nameKey, parseNameKey } from './keys.ts';
import { mirror } from './mirror.ts';
import { newOperation } from './operations/record.ts';
import { trimEnded } from './operations/trim.ts';
import { openPool } from './pool.ts';
import type { HostId, NetworkId, Timestamp } from './records/identifiers.ts';
import type { NetworkRecord } from './records/network.ts';
import { simulatedClock } from './simulated/clock.ts';
import { simulatedDatabase } from './simulated/database.ts';
import { put, together, writing } from './transaction.ts';

function value<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.message}`);
  return result.value;
}

function reason(result: Result<unknown, Failure>): string {
  return result.ok ? 'it succeeded' : result.error.reason;
}

function network(number: number, name: string): NetworkRecord {
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as NetworkId,
    name,
    bridge: `br${number}`,
    mtu: 1500,
    createdAt: 1 as Timestamp,
  };
}

test('a record is found by its id and by its name', async (t) => {
  const pool = openPool(simulatedDatabase());
  value(await commit(pool.database, pool.networks.creating(network(1, 'default'))));
  t.deepEqual(value(await pool.networks.find('default')).record, network(1, 'default'));
  t.deepEqual(value(await pool.networks.find(network(1, '').id)).record, network(1, 'default'));
  const missing = await pool.networks.find('other');
  t.like(missing, { error: { reason: 'NOT_FOUND', resource: { type: 'network', name: 'other' } } });
  pool.database.close();
});

test('of two records of one kind and name the second is refused with NAME_TAKEN', async (t) => {
  const pool = openPool(simulatedDatabase());
  value(await commit(pool.database, pool.networks.creating(network(1, 'default'))));
  const second = pool.networks.creating(network(2, 'default'));
  t.is(reason(await commit(pool.database, second)), 'NAME_TAKEN');
  t.is(value(await pool.networks.get(network(2, '').id)), null);
  pool.database.close();
});

test('a new name is taken and the old one freed in one transaction; a deleted record frees its name', async (t) => {
  const pool = openPool(simulatedDatabase());
  const { database, networks } = pool;
  value(await commit(database, networks.creating(network(1, 'old'))));
  const stored = value(await networks.find('old'));
  value(await commit(database, networks.replacing(stored, network(1, 'new'))));
  t.is(reason(await networks.find('old')), 'NOT_FOUND');
  const renamed = value(await networks.find('new'));
  t.is(reason(await commit(database, networks.replacing(stored, network(1, 'newer')))), 'CONFLICT');
  value(await commit(database, networks.creating(network(2, 'old'))));
  value(await commit(database, networks.deleting(renamed)));
  value(await commit(database, networks.creating(network(3, 'new'))));
  t.is(value(await networks.all()).length, 2);
  database.close();
});

test('a record that does not fit is a failure that names its key', async (t) => {
  const pool = openPool(simulatedDatabase());
  const { id } = network(1, 'default');
  for (const text of ['{', '{"id": 1}', '']) {
    value(await pool.database.transact(writing(put(pool.networks.key(id), text))));
    const read = await pool.networks.get(id);
    t.true(!read.ok && read.error.message.includes(pool.networks.key(id)));
  }
  pool.database.close();
});

test('all records come, page by page, as of one revision', async (t) => {
  const pool = openPool(simulatedDatabase());
  for (let first = 0; first < 1200; first += 60) {
    const some = Array.from({ length: 60 }, (_, index) =>
      network(first + index, `n${first + index}`),
    );
    value(
      await pool.database.transact(
        together(
          ...some.map((record) => writing(pool.requestsOf('storage').put(record.id, record.name))),
        ),
      ),
    );
  }
  t.is(value(await pool.requestsOf('storage').all()).length, 1200);
  pool.database.close();
});

test('the name index is read back from its keys', (t) => {
  t.deepEqual(parseNameKey(nameKey('vm', 'web.example')), { kind: 'vm', name: 'web.example' });
  t.is(parseNameKey('/flotilla/vms/1'), null);
  t.is(parseNameKey('/flotilla/names/other/x'), null);
});

test('ended operations beyond the bound are removed, oldest first, with their requests', async (t) => {
  const clock = simulatedClock();
  const pool = openPool(simulatedDatabase({ clock }));
  const end = new AbortController();
  for (let number = 1; number <= 5; number += 1) {
    const plan = newOperation({
      verb: 'vm.start',
      resource: { type: 'vm', id: 'v', name: 'web' },
      service: 'storage',
      host: network(number, '').id as string as HostId,
      steps: [{ name: 'work', description: 'work' }],
      requestId: `request-${number}`,
      now: milliseconds(number),
    });
    const state = number === 2 ? 'running' : 'succeeded';
    const endedAt = number === 2 ? null : (number as Timestamp);
    const record = { ...plan, state, endedAt } as const;
    const request = pool.requestsOf('storage').creating(plan.requestId, plan.id);
    value(
      await commit(pool.database, pool.operationsOf('storage').creating(plan.id, record), request),
    );
  }
  const copy = mirror(pool.database, [pool.operations.prefix], { signal: end.signal, clock });
  const trimming = trimEnded({
    ...{ pool, clock, entries: copy.entries, bound: 2 },
    signal: end.signal,
    onFailure: (failure) => t.fail(failure.message),
  });
  await clock.advance(milliseconds(120_000));
  const left = value(await pool.operations.all()).map(({ record }) => record.requestId);
  t.deepEqual(left.sort(), ['request-2', 'request-4', 'request-5']);
  t.is(value(await pool.requestsOf('storage').all()).length, 3);
  end.abort();
  await trimming;
  pool.database.close();
});
