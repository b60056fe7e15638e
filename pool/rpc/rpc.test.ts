import {
  credentials,
  makeClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import test, { type ExecutionContext } from 'ava';
import { service as healthDefinition } from 'grpc-health-check';
import { present } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { type OperationEvent, PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import { VmService } from '../../proto/gen/flotilla.vm.v1.ts';
import type { Entry, Write } from '../database.ts';
import { type Failure, failureReasons } from '../failure.ts';
import { prefixes } from '../keys.ts';
import { simulatedDatabase } from '../simulated/database.ts';
import { put, remove, writing } from '../transaction.ts';
import { type Mounted, mount } from './handler.ts';
import { isLoopback, type RpcServer, serve } from './server.ts';
import { callStatus, failureOf } from './status.ts';
import { watchResources } from './watch.ts';

const timeout = milliseconds(20_000);
const insecure = credentials.createInsecure();

async function serving(t: ExecutionContext, ...services: Mounted[]): Promise<RpcServer> {
  const served = await serve({ listen: '127.0.0.1:0', credentials: null, services });
  if (!served.ok) throw new Error(served.error.message);
  t.teardown(() => served.value.close());
  return served.value;
}

function connected(t: ExecutionContext, server: RpcServer) {
  const connection = connect(server.address, insecure);
  t.teardown(() => connection.close());
  return connection;
}

function failureIn<Value>(result: Result<Value, ServiceError>): Failure {
  if (result.ok) throw new Error('the call succeeded');
  return failureOf(result.error);
}

const full: Failure = {
  reason: 'NO_SPACE',
  message: 'sr "fast" has 3 GiB free, of the 10 GiB that are needed',
  remedy: 'Delete what is not needed, or choose another SR.',
  resource: { type: 'sr', name: 'fast' },
  field: 'vm.disks[0].size',
};

test('a failure arrives at the client as it left the handler', async (t) => {
  const server = await serving(t, mount(PoolService, { getPool: async () => fail(full) }));
  const result = await connected(t, server).client(PoolService).getPool({}, { timeout });
  t.deepEqual(failureIn(result), full);
  t.is(result.ok ? null : result.error.code, status.RESOURCE_EXHAUSTED);
  t.is(result.ok ? null : result.error.details, full.message);
});

test('every reason has a status, and comes back as itself', (t) => {
  for (const reason of failureReasons) {
    const failure: Failure = { reason, message: 'why', remedy: 'What to do.' };
    const error = Object.assign(new Error('x'), callStatus(failure));
    t.like(failureOf(error), { reason, message: 'why', remedy: 'What to do.' });
    t.not(error.code, status.OK);
  }
});

test('a method without a handler answers NOT_IMPLEMENTED, a service that is away SERVICE_UNAVAILABLE', async (t) => {
  const server = await serving(t, mount(PoolService, {}));
  const { client } = connected(t, server);
  const answer = await client(PoolService).getPool({}, { timeout });
  t.is(failureIn(answer).reason, 'NOT_IMPLEMENTED');
  await server.close();
  const later = await client(PoolService).getPool({}, { timeout });
  t.is(failureIn(later).reason, 'SERVICE_UNAVAILABLE');
  t.is(
    failureIn(later).message,
    `the service does not answer: connect ECONNREFUSED ${server.address}`,
  );
});

test('a deadline of the caller aborts the handler', async (t) => {
  const called: Promise<unknown>[] = [];
  const server = await serving(
    t,
    mount(PoolService, {
      getPool: async (_request, call) => {
        const over = new Promise((resolve) => call.signal.addEventListener('abort', resolve));
        called.push(over);
        await over;
        return ok({});
      },
    }),
  );
  const { client } = connected(t, server);
  // On a busy machine the first deadlines may pass before the call has arrived.
  for (let deadline = 100; called.length === 0 && deadline < 30_000; deadline *= 2) {
    const answer = await client(PoolService).getPool({}, { timeout: milliseconds(deadline) });
    t.is(answer.ok ? null : answer.error.code, status.DEADLINE_EXCEEDED);
  }
  t.true(called.length > 0);
  await t.notThrowsAsync(Promise.all(called));
});

test('health says SERVING for the server and each service, and reflection lists them', async (t) => {
  const server = await serving(t, mount(PoolService, {}), mount(VmService, {}));
  t.is(await healthOf(server.address, ''), 'SERVING');
  t.is(await healthOf(server.address, 'flotilla.vm.v1.VmService'), 'SERVING');
  server.setServing(false);
  t.is(await healthOf(server.address, 'flotilla.vm.v1.VmService'), 'NOT_SERVING');
  t.deepEqual(await reflectedServices(server.address), [
    'flotilla.pool.v1.PoolService',
    'flotilla.vm.v1.VmService',
  ]);
});

test('plain text is refused on an address that other machines can reach', async (t) => {
  const served = await serve({ listen: '0.0.0.0:0', credentials: null, services: [] });
  t.like(served, { ok: false, error: { reason: 'INVALID_FIELD', field: 'listen' } });
  for (const host of ['127.0.0.1', '127.8.0.1', 'localhost', '::1']) t.true(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'fe80::1', '::2'])
    t.false(isLoopback(host), host);
});

test('an address that is taken or is none is a failure', async (t) => {
  const server = await serving(t);
  const settings = { credentials: null, services: [] };
  const taken = await serve({ listen: server.address, ...settings });
  t.like(taken, { ok: false, error: { field: 'listen' } });
  for (const listen of ['here', '127.0.0.1', '127.0.0.1:99999', ':1'])
    t.like(await serve({ listen, ...settings }), { ok: false, error: { reason: 'INVALID_FIELD' } });
});

test('a stream of two directions ends for the handler when the caller ends it', async (t) => {
  const server = await serving(
    t,
    mount(VmService, {
      openConsole: async (call) => {
        for await (const { data } of call.requests) await call.send({ data });
        await call.send({ data: Buffer.from('bye') });
        return ok(undefined);
      },
    }),
  );
  const stream = connected(t, server).client(VmService).openConsole();
  stream.write({ data: Buffer.from('a') });
  stream.write({ data: Buffer.from('b') });
  stream.end();
  const echoed: string[] = [];
  for await (const { data } of stream) echoed.push(Buffer.from(data).toString());
  t.deepEqual(echoed, ['a', 'b', 'bye']);
});

async function healthOf(address: string, name: string): Promise<string> {
  const Health = makeClientConstructor(healthDefinition, 'Health');
  const client = new Health(address, insecure);
  const status = await new Promise<string>((resolve, reject) => {
    client.check?.({ service: name }, (error: Error | null, reply: { status: string }) =>
      error === null ? resolve(reply.status) : reject(error),
    );
  });
  client.close();
  return status;
}

async function reflectedServices(address: string): Promise<string[]> {
  const file = 'node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto';
  const definition = loadSync(file)['grpc.reflection.v1.ServerReflection'];
  const Reflection = makeClientConstructor(definition as ServiceDefinition, 'Reflection');
  const client = new Reflection(address, insecure);
  const stream = client.serverReflectionInfo?.();
  stream.write({ listServices: '' });
  for await (const reply of stream) {
    stream.end();
    client.close();
    return reply.listServicesResponse.service.map(({ name }: { name: string }) => name).sort();
  }
  return [];
}

/** A watch of operations whose entries hold a bare name each. */
function watched(database: ReturnType<typeof simulatedDatabase>): Mounted {
  return mount(PoolService, {
    watchOperations: (request, call) =>
      watchResources<string, OperationEvent>(
        {
          database,
          prefixes: [prefixes.operations],
          resumeRevision: request.resumeRevision,
          idsOf: (entry: Entry) => [entry.key],
          resource: (id, entries) => {
            const name = entries.get(id)?.value ?? null;
            return name === 'hidden' ? null : name;
          },
          event: (type, name, revision) => ({
            type,
            revision,
            operation: name === null ? null : { id: name },
          }),
        },
        call,
      ),
  });
}

interface Seen {
  readonly type: string;
  readonly id: string;
  readonly revision: number;
}

async function read(stream: AsyncIterable<OperationEvent>, count: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { type, operation, revision } of stream) {
    seen.push({ type: type.replace('CHANGE_TYPE_', ''), id: operation?.id ?? '', revision });
    if (seen.length === count) break;
  }
  return seen;
}

test('a watch sends what exists, SYNCED, then changes, and resumes after any revision it sent', async (t) => {
  const database = simulatedDatabase();
  const write = async (...writes: Write[]) => {
    const outcome = await database.transact(writing(...writes));
    return outcome.ok ? outcome.value.revision : 0;
  };
  const key = (name: string) => `${prefixes.operations}${name}`;
  await write(put(key('1'), 'one'));
  const synced = await write(put(key('2'), 'hidden'));
  const { client } = connected(t, await serving(t, watched(database)));
  const stream = client(PoolService).watchOperations({});
  t.deepEqual(await read(stream.iterator({ destroyOnReturn: false }), 2), [
    { type: 'CREATED', id: 'one', revision: 0 },
    { type: 'SYNCED', id: '', revision: synced },
  ]);
  const both = await write(put(key('1'), 'uno'), put(key('2'), 'two'));
  const hidden = await write(put(key('1'), 'hidden'));
  const last = await write(remove(key('2')));
  const changes = [
    { type: 'UPDATED', id: 'uno', revision: both - 1 },
    { type: 'CREATED', id: 'two', revision: both },
    { type: 'DELETED', id: 'uno', revision: hidden },
    { type: 'DELETED', id: 'two', revision: last },
  ];
  t.deepEqual(await read(stream, 4), changes);
  for (const from of [synced, both - 1, both, hidden]) {
    const expected = changes.filter(({ revision }) => revision > from || from < both);
    const resumed = client(PoolService).watchOperations({ resumeRevision: from });
    t.deepEqual(await read(resumed, expected.length), expected);
  }
  database.compact(present(last, 'a revision') as Parameters<typeof database.compact>[0]);
  const tooOld = client(PoolService).watchOperations({ resumeRevision: synced });
  const error = await t.throwsAsync<ServiceError>(read(tooOld, 1));
  t.is(failureOf(error).reason, 'REVISION_COMPACTED');
  database.close();
});

test('closing the server ends streams with UNAVAILABLE', async (t) => {
  const database = simulatedDatabase();
  const server = await serving(t, watched(database));
  const stream = connected(t, server).client(PoolService).watchOperations({});
  const { done } = await stream.iterator({ destroyOnReturn: false }).next();
  t.not(done, true);
  const rest = t.throwsAsync<ServiceError>(read(stream, 5));
  await server.close();
  t.is((await rest).code, status.UNAVAILABLE);
  database.close();
});
