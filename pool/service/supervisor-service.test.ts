import { setTimeout as delay } from 'node:timers/promises';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { fail, ok, type Result } from '../../base/result.ts';
import { bytes, milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import {
  type RestartServiceResponse,
  type SupervisedService,
  SupervisorService,
} from '../../proto/gen/flotilla.pool.v1.ts';
import { databaseUnavailable } from '../database-failures.ts';
import type { Failure } from '../failure.ts';
import { openPool } from '../pool.ts';
import type { HostId, Timestamp } from '../records/identifiers.ts';
import { type RpcServer, serve } from '../rpc/server.ts';
import { failureOf } from '../rpc/status.ts';
import { simulatedDatabase } from '../simulated/database.ts';
import type { HostSupervisors, KeptService } from '../supervision/host-supervisors.ts';
import type { Supervised } from '../supervision/messages.ts';
import { together } from '../transaction.ts';
import { supervisorService } from './supervisor-service.ts';

const settings = { timeout: milliseconds(20_000) };

const storage: Supervised = {
  ...{ service: 'storage', kind: 'guest', state: 'serving', id: 3, starts: 1, detail: '' },
};

const storageMessage: SupervisedService = {
  ...{ service: 'storage', form: 'SERVICE_FORM_GUEST', state: 'serving', id: 3, starts: 1 },
  detail: '',
};

const calm: KeptService['restart'] = async (onProgress) => {
  onProgress('storage is asked to stop');
  onProgress('storage is started');
  return ok({ away: 1234.4, id: 4 });
};

function keeping(restart: KeptService['restart']): HostSupervisors {
  return {
    list: async () => ok([storage, { ...storage, service: 'network', state: 'waiting', id: null }]),
    find: async (service) =>
      service === 'storage'
        ? ok({ service: storage, restart })
        : fail({ reason: 'NOT_FOUND', message: `nobody keeps ${service}`, remedy: '' }),
  };
}

function idOf(number: number): HostId {
  return `00000000-0000-4000-8000-00000000000${number}` as HostId;
}

/** Hosts that serve, host-1 with supervisors as said; of the third one the pool has host-1's address. */
async function hosts(t: ExecutionContext, restart = calm) {
  let isAway = false;
  const database = simulatedDatabase({ fault: () => (isAway ? 'refused' : 'none') });
  const pool = openPool(database);
  t.teardown(() => database.close());
  const servers: RpcServer[] = [];
  for (const number of [1, 2]) {
    const host = { id: idOf(number), name: `host-${number}` };
    const supervisors = number === 1 ? keeping(restart) : keeping(calm);
    const mounted = supervisorService({
      ...{ pool, host, supervisors, credentials: credentials.createInsecure() },
    });
    const server = await serve({
      ...{ listen: '127.0.0.1:0', credentials: null, services: [mounted] },
    });
    if (!server.ok) throw new Error(server.error.message);
    t.teardown(() => server.value.close());
    servers.push(server.value);
  }
  const [first, second] = servers.map(({ address }) => address);
  if (first === undefined || second === undefined) throw new Error('two hosts serve');
  for (const [number, address, isUp] of [
    [1, first, true],
    [2, second, true],
    [3, first, true],
    [4, second, false],
  ] as const) {
    const id = idOf(number);
    const record = pool.hosts.creating({
      ...{ id, name: `host-${number}`, hypervisor: 'simulated', hypervisorVersion: '1', cpus: 4 },
      ...{ memoryTotal: bytes(2 ** 30), endpoints: { 'vm-lifecycle': address } },
      startedAt: 1 as Timestamp,
    });
    const lease = pool.hostLeases.put(id, { since: 1 as Timestamp });
    await database.transact(isUp ? together(record, { comparisons: [], writes: [lease] }) : record);
  }
  const asking = (address: string) => {
    const connection = connect(address, credentials.createInsecure());
    t.teardown(() => connection.close());
    return connection.client(SupervisorService);
  };
  return {
    ...{ one: asking(first), two: asking(second), close: () => servers[0]?.close() },
    loseDatabase: () => {
      isAway = true;
    },
  };
}

interface Restart {
  readonly messages: readonly RestartServiceResponse[];
  readonly failure: Failure | null;
}

/** Follows a restart to its end. */
async function ended(
  stream: AsyncIterable<RestartServiceResponse>,
  onMessage: (message: RestartServiceResponse) => void = () => undefined,
): Promise<Restart> {
  const messages: RestartServiceResponse[] = [];
  try {
    for await (const message of stream) {
      messages.push(message);
      onMessage(message);
    }
    return { messages, failure: null };
  } catch (error) {
    return { messages, failure: failureOf(error as ServiceError) };
  }
}

function refusal(answer: Result<unknown, ServiceError>): Failure {
  if (answer.ok) throw new Error('it succeeded');
  return failureOf(answer.error);
}

const whole: Restart = {
  messages: [
    { accepted: { host: 'host-1', service: storageMessage } },
    { progress: 'storage is asked to stop' },
    { progress: 'storage is started' },
    { restarted: { awayMilliseconds: 1234, id: 4 } },
  ],
  failure: null,
};

test('any host lists and restarts the services of any other, by name or id', async (t) => {
  const { one, two } = await hosts(t);
  for (const [client, host] of [
    [one, 'host-1'],
    [two, 'host-1'],
    [two, idOf(1)],
  ] as const) {
    t.deepEqual(
      await client.listServices({ host }, settings),
      ok({
        host: 'host-1',
        services: [
          storageMessage,
          { ...storageMessage, service: 'network', state: 'waiting', id: 0 },
        ],
      }),
    );
    t.deepEqual(await ended(client.restartService({ host, service: 'storage' }, settings)), whole);
  }
});

test('a host restarts its own services while the database is away, and cannot find others', async (t) => {
  const { one, two, loseDatabase } = await hosts(t);
  loseDatabase();
  const request = { host: 'host-1', service: 'storage' };
  t.deepEqual(await ended(one.restartService(request, settings)), whole);
  const { failure } = await ended(two.restartService(request, settings));
  t.is(failure?.reason, databaseUnavailable('').reason);
});

test('a restart that fails ends with what the supervisor said', async (t) => {
  const { two } = await hosts(t, async () =>
    fail({ reason: 'WRONG_STATE', message: 'it is not started: no room', remedy: 'Make room.' }),
  );
  const restart = await ended(two.restartService({ host: 'host-1', service: 'storage' }, settings));
  t.is(restart.messages.length, 1);
  t.like(restart.failure, {
    ...{ reason: 'WRONG_STATE', message: 'it is not started: no room', remedy: 'Make room.' },
  });
});

test('a service that nobody keeps, and a host that is none, is down or is not where it should be, are refused', async (t) => {
  const { one, two } = await hosts(t);
  const restart = (host: string, service = 'storage') =>
    ended(one.restartService({ host, service }, settings));
  const rows = [
    [await restart('host-1', 'consensus'), 'NOT_FOUND', undefined, /nobody keeps consensus/],
    [await restart('host-1', '../x'), 'INVALID_FIELD', 'service', /"..\/x" is not the name/],
    [await restart('host-1', 'x'.repeat(5000)), 'INVALID_FIELD', 'service', /^"x{63}" is not/],
    [await restart(''), 'INVALID_FIELD', 'host', /names no host/],
    [await restart('h'.repeat(64)), 'INVALID_FIELD', 'host', /1 to 63 characters/],
    [await restart('host-9'), 'NOT_FOUND', 'host', /there is no host "host-9"/],
    [await restart('host-4'), 'HOST_UNREACHABLE', undefined, /host-4 is down/],
  ] as const;
  for (const [{ messages, failure }, reason, field, message] of rows) {
    t.deepEqual(messages, []);
    t.is(failure?.reason, reason);
    t.is(failure?.field, field);
    t.regex(failure?.message ?? '', message);
  }
  // What is handed on is not handed on again: host-1 answers at the address of host-3.
  const lost = refusal(await two.listServices({ host: 'host-3' }, settings));
  t.is(lost.reason, 'HOST_UNREACHABLE');
  t.regex(lost.message, /host-1 answers where the pool has the address of host 0000/);
});

/** A restart that goes on until it is not waited for. */
function endless() {
  const left: string[] = [];
  const restart: KeptService['restart'] = (onProgress, signal) => {
    onProgress('storage is asked to stop');
    return new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        left.push('left');
        resolve(ok(null));
      }),
    );
  };
  return { left, restart };
}

test('the end of the vm-lifecycle that answers ends the stream as unavailable, after it was accepted', async (t) => {
  const { left, restart } = endless();
  for (const by of ['one', 'two'] as const) {
    const pool = await hosts(t, restart);
    const request = { host: 'host-1', service: 'storage' };
    const { messages, failure } = await ended(
      pool[by].restartService(request, settings),
      ({ progress }) => {
        if (progress !== undefined) void pool.close();
      },
    );
    t.deepEqual(messages, whole.messages.slice(0, 2), by);
    t.is(failure?.reason, 'SERVICE_UNAVAILABLE');
    t.regex(failure?.message ?? '', by === 'one' ? /is closing/ : /vm-lifecycle of host-1: /);
  }
  t.deepEqual(left, ['left', 'left']);
});

test('restarts that are waited for are bounded, and one that is left makes room', async (t) => {
  const { left, restart } = endless();
  const { one } = await hosts(t, restart);
  const request = { host: 'host-1', service: 'storage' };
  const leave = new AbortController();
  const { signal } = leave;
  const waiting: Promise<Restart>[] = [];
  for (let index = 0; index < 8; index += 1)
    await new Promise<void>((begun) => {
      const follow = ended(one.restartService(request, { signal }), () => begun());
      waiting.push(follow);
    });
  const { messages, failure } = await ended(one.restartService(request, settings));
  t.deepEqual(messages, []);
  t.is(failure?.reason, 'LIMIT');
  leave.abort();
  await Promise.all(waiting);
  while (left.length < waiting.length) await delay(5);
  const again = new AbortController();
  const room = await ended(one.restartService(request, { signal: again.signal }), () =>
    again.abort(),
  );
  t.like(room.messages[0], { accepted: { host: 'host-1' } });
});
