import { credentials, type ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import type { Result } from '../../base/result.ts';
import { bytes, milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import { eventWriter } from '../events.ts';
import type { Failure } from '../failure.ts';
import { newOperation, startOperation } from '../operations/record.ts';
import { openPool } from '../pool.ts';
import type { HostRecord } from '../records/host.ts';
import type { Epoch, HostId, Timestamp, VmId } from '../records/identifiers.ts';
import { serve } from '../rpc/server.ts';
import { failureOf } from '../rpc/status.ts';
import { simulatedClock } from '../simulated/clock.ts';
import { simulatedDatabase } from '../simulated/database.ts';
import { writing } from '../transaction.ts';
import { poolService } from './pool-service.ts';

const timeout = milliseconds(20_000);
const idOf = (number: number) =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as HostId & VmId;

function value<Value>(result: Result<Value, Failure | ServiceError>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function hostRecord(number: number): HostRecord {
  return {
    id: idOf(number),
    name: `host-${number}`,
    hypervisor: 'simulated',
    hypervisorVersion: '1',
    cpus: 4,
    memoryTotal: bytes(8 * 2 ** 30),
    endpoints: { 'vm-lifecycle': `127.0.0.1:${number}` },
    startedAt: 1_500 as Timestamp,
  };
}

/** A pool of two hosts, the first of which is up and runs a VM. */
async function world(t: ExecutionContext) {
  const clock = simulatedClock();
  const database = simulatedDatabase({ clock });
  const pool = openPool(database);
  const vm = idOf(9);
  const status = {
    vm,
    host: idOf(1),
    epoch: 1 as Epoch,
    powerState: 'running',
    domid: 1,
    startedAt: null,
    detail: '',
  } as const;
  for (const number of [1, 2])
    value(await database.transact(pool.hosts.creating(hostRecord(number))));
  value(
    await database.transact(
      writing(
        pool.hostLeases.put(idOf(1), { since: 1 as Timestamp }),
        pool.reservations.put(`${idOf(1)}/${vm}`, { memory: bytes(2 ** 30) }),
        pool.vmStatuses.put(vm, status),
      ),
    ),
  );
  const services = [poolService({ pool, name: 'lab' })];
  const server = value(await serve({ listen: '127.0.0.1:0', credentials: null, services }));
  const connection = connect(server.address, credentials.createInsecure());
  t.teardown(async () => {
    connection.close();
    await server.close();
    database.close();
  });
  return { pool, clock, client: connection.client(PoolService) };
}

async function started(pool: Awaited<ReturnType<typeof world>>['pool'], name: string, now: number) {
  const operation = newOperation({
    verb: 'vm.start',
    resource: { type: 'vm', id: idOf(now), name },
    service: 'vm-lifecycle',
    host: idOf(1),
    steps: [{ name: 'domain.create', description: 'make the domain' }],
    now: milliseconds(now),
  });
  return value(await startOperation(pool, operation));
}

test('the pool at a glance counts what is up, and what VMs have reserved there', async (t) => {
  const { pool, client } = await world(t);
  await started(pool, 'web', 1);
  t.like(value(await client.getPool({}, { timeout })), {
    name: 'lab',
    hosts: 2,
    hostsUp: 1,
    vmsRunning: 1,
    operationsRunning: 1,
    memoryTotal: 8 * 2 ** 30,
    memoryReserved: 2 ** 30,
    databaseMembers: [{ name: 'simulated', clientAddress: 'memory', leader: true, healthy: true }],
  });
});

test('hosts are found by name or id, and listed in pages by name', async (t) => {
  const { client } = await world(t);
  const host = value(await client.getHost({ host: 'host-1' }, { timeout }));
  t.like(host, { id: idOf(1), state: 'HOST_STATE_UP', vmsRunning: 1, memoryReserved: 2 ** 30 });
  t.deepEqual(host.startTime, { seconds: 1, nanos: 500_000_000 });
  t.is(value(await client.getHost({ host: idOf(2) }, { timeout })).state, 'HOST_STATE_DOWN');
  const missing = await client.getHost({ host: 'host-3' }, { timeout });
  t.is(missing.ok ? '' : failureOf(missing.error).reason, 'NOT_FOUND');
  const first = value(await client.listHosts({ pageSize: 1 }, { timeout }));
  t.deepEqual(
    first.hosts.map(({ name }) => name),
    ['host-1'],
  );
  const { nextPageToken: pageToken } = first;
  const second = value(await client.listHosts({ pageSize: 1, pageToken }, { timeout }));
  t.deepEqual(
    second.hosts.map(({ name }) => name),
    ['host-2'],
  );
  t.is(second.nextPageToken, '');
  for (const request of [{ pageToken: 'x' }, { pageSize: -1 }, { pageSize: 1001 }]) {
    const refused = await client.listHosts(request, { timeout });
    t.is(refused.ok ? '' : failureOf(refused.error).reason, 'INVALID_FIELD');
  }
});

test('a host that loses its lease, or whose VM goes, is told of to those who watch', async (t) => {
  const { pool, client } = await world(t);
  const stream = client.watchHosts({});
  const seen: string[] = [];
  const next = async (count: number) => {
    for await (const { type, host } of stream.iterator({ destroyOnReturn: false })) {
      seen.push(`${type} ${host?.name} ${host?.state} ${host?.vmsRunning}`);
      if (seen.length === count) return;
    }
  };
  await next(3);
  value(await pool.database.transact(writing(pool.reservations.remove(`${idOf(1)}/${idOf(9)}`))));
  value(await pool.database.transact(writing(pool.hostLeases.remove(idOf(1)))));
  await next(5);
  stream.cancel();
  stream.on('error', () => {});
  t.deepEqual(seen, [
    'CHANGE_TYPE_CREATED host-1 HOST_STATE_UP 1',
    'CHANGE_TYPE_CREATED host-2 HOST_STATE_DOWN 0',
    'CHANGE_TYPE_SYNCED undefined undefined undefined',
    'CHANGE_TYPE_UPDATED host-1 HOST_STATE_UP 0',
    'CHANGE_TYPE_UPDATED host-1 HOST_STATE_DOWN 0',
  ]);
});

test('operations are listed newest first, in pages, by resource, and by whether they run', async (t) => {
  const { pool, client } = await world(t);
  for (const [index, name] of ['web', 'db', 'web'].entries()) await started(pool, name, index + 1);
  const all = value(await client.listOperations({ pageSize: 2 }, { timeout }));
  t.deepEqual(
    all.operations.map(({ createTime }) => createTime?.nanos),
    [3e6, 2e6],
  );
  const { nextPageToken: pageToken } = all;
  const rest = value(await client.listOperations({ pageSize: 2, pageToken }, { timeout }));
  t.deepEqual(
    rest.operations.map(({ createTime }) => createTime?.nanos),
    [1e6],
  );
  const web = value(await client.listOperations({ resource: 'web', active: true }, { timeout }));
  t.is(web.operations.length, 2);
});

test('a cancel is recorded once, and refused when the operation has ended', async (t) => {
  const { pool, client } = await world(t);
  const stored = await started(pool, 'web', 1);
  const operation = stored.record.id;
  t.true(value(await client.cancelOperation({ operation }, { timeout })).cancelRequested);
  const again = value(await client.cancelOperation({ operation }, { timeout }));
  const read = value(await pool.operationsOf('vm-lifecycle').get(operation));
  t.is(again.revision, read?.modRevision ?? 0);
  if (read === null) return t.fail('the operation is gone');
  const ended = { ...read.record, state: 'cancelled', endedAt: 5 as Timestamp } as const;
  value(await pool.database.transact(pool.operationsOf('vm-lifecycle').replacing(read, ended)));
  const refused = await client.cancelOperation({ operation }, { timeout });
  t.is(refused.ok ? '' : failureOf(refused.error).reason, 'WRONG_STATE');
});

test('the watch of one operation ends after it has ended', async (t) => {
  const { pool, client } = await world(t);
  const stored = await started(pool, 'web', 1);
  await started(pool, 'db', 2);
  const operation = stored.record.id;
  const seen: string[] = [];
  for await (const event of client.watchOperations({ operation })) {
    seen.push(`${event.type} ${event.operation?.state}`);
    if (event.type !== 'CHANGE_TYPE_SYNCED') continue;
    const ended = { ...stored.record, state: 'succeeded', endedAt: 5 as Timestamp } as const;
    value(await pool.database.transact(pool.operationsOf('vm-lifecycle').replacing(stored, ended)));
  }
  t.deepEqual(seen, [
    'CHANGE_TYPE_CREATED OPERATION_STATE_PENDING',
    'CHANGE_TYPE_SYNCED undefined',
    'CHANGE_TYPE_UPDATED OPERATION_STATE_SUCCEEDED',
  ]);
  const later: string[] = [];
  for await (const { type } of client.watchOperations({ operation })) later.push(type);
  t.deepEqual(later, ['CHANGE_TYPE_CREATED', 'CHANGE_TYPE_SYNCED']);
  const none = client.watchOperations({ operation: idOf(77) });
  const error = await t.throwsAsync<ServiceError>(none.toArray());
  t.is(failureOf(error).reason, 'NOT_FOUND');
});

test('events are kept for a day, listed oldest first, and watched', async (t) => {
  const { pool, clock, client } = await world(t);
  const writer = eventWriter(pool, clock);
  const resource = { type: 'vm', id: idOf(9), name: 'web' };
  value(await writer.write({ severity: 'info', resource, message: 'started' }));
  await clock.advance(milliseconds(1_000));
  value(await writer.write({ severity: 'error', resource, message: 'the guest crashed' }));
  const listed = value(await client.listEvents({ resource: 'web' }, { timeout }));
  t.deepEqual(
    listed.events.map(({ message }) => message),
    ['started', 'the guest crashed'],
  );
  t.is(value(await client.listEvents({ resource: 'db' }, { timeout })).events.length, 0);
  const watched: string[] = [];
  for await (const { message, severity } of client.watchEvents({})) {
    watched.push(`${severity} ${message}`);
    if (watched.length === 2) break;
  }
  t.deepEqual(watched, ['SEVERITY_INFO started', 'SEVERITY_ERROR the guest crashed']);
  await clock.advance(milliseconds(23 * 3600 * 1000));
  t.is(value(await client.listEvents({}, { timeout })).events.length, 2);
  await clock.advance(milliseconds(3 * 3600 * 1000));
  t.is(value(await client.listEvents({}, { timeout })).events.length, 0);
});
