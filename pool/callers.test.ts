import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceError, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { ok } from '../base/result.ts';
import { milliseconds } from '../base/units.ts';
import { connect } from '../proto/client.ts';
import { type ServiceType, serviceDefinition } from '../proto/codec.ts';
import { NetworkService, VifService } from '../proto/gen/flotilla.network.v1.ts';
import { ImageService, PoolService, SupervisorService } from '../proto/gen/flotilla.pool.v1.ts';
import { AttachmentService, StorageService } from '../proto/gen/flotilla.storage.v1.ts';
import { VmService } from '../proto/gen/flotilla.vm.v1.ts';
import { XenstoreService } from '../proto/gen/flotilla.xenstore.v1.ts';
import { callersOf, callRights } from './callers.ts';
import { issue } from './identity/authority.ts';
import { readCredentials } from './identity/credentials.ts';
import { openAuthority, writeIdentity } from './identity/files.ts';
import { serviceNames } from './records/host.ts';
import { mount, type RpcCall } from './rpc/handler.ts';
import { serve } from './rpc/server.ts';

const timeout = milliseconds(20_000);

const types: readonly ServiceType<unknown>[] = [
  ...[VmService, PoolService, ImageService, SupervisorService, NetworkService, VifService],
  ...[StorageService, AttachmentService, XenstoreService],
];

/** Every method of every service that hosts serve. */
const methods = types.flatMap((type) =>
  Object.values(serviceDefinition(type)).map(({ path }) => path),
);

test('the table in docs/access.md is the one that services ask', (t) => {
  const text = readFileSync(join(import.meta.dirname, '..', 'docs', 'access.md'), 'utf8');
  const lines = text.split('\n');
  const head = lines.indexOf('| Caller | Calls | Of | Why |');
  const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'));
  const of = { same: 'the same host', any: 'any host' };
  t.deepEqual(lines.slice(head + 2, end), [
    '| `operator` | everything | any host | the person who runs the pool, and the CLI |',
    ...callRights.map(
      ({ calls, caller, hosts, why }) =>
        `| \`HOST/${caller}\` | \`${calls.slice(1)}\` | ${of[hosts]} | ${why} |`,
    ),
  ]);
});

test('every right is one to call what is there', (t) => {
  for (const { calls } of callRights)
    t.true(
      methods.some((path) => path === calls || path.replace(/[^/]+$/, '*') === calls),
      calls,
    );
});

test('no service but that of VMs may call another one, and it no more than the table says', (t) => {
  const callers = callersOf('host-1');
  const allowed = (identity: string) => methods.filter((path) => callers(identity, path).ok);
  const strangers = ['auditor', '', 'operator/x', 'x/host-1/vm-lifecycle', '/vm-lifecycle'];
  const services = ['host-1', 'host-2'].flatMap((host) =>
    serviceNames.filter((name) => name !== 'vm-lifecycle').map((name) => `${host}/${name}`),
  );
  for (const identity of [...services, ...strangers]) t.deepEqual(allowed(identity), [], identity);
  t.deepEqual(allowed('host-2/vm-lifecycle'), [
    '/flotilla.vm.v1.VmService/OpenConsole',
    '/flotilla.pool.v1.SupervisorService/ListServices',
    '/flotilla.pool.v1.SupervisorService/RestartService',
  ]);
  const own = allowed('host-1/vm-lifecycle');
  t.true(own.includes('/flotilla.storage.v1.AttachmentService/Attach'));
  t.true(own.includes('/flotilla.network.v1.VifService/Plug'));
  t.notRegex(own.join(), /VmService\/(?!OpenConsole)|PoolService|ImageService|XenstoreService/);
  t.deepEqual(allowed('operator'), methods);
  t.like(callers('host-1/network', '/flotilla.vm.v1.VmService/GetVm'), {
    ok: false,
    error: {
      reason: 'FORBIDDEN',
      message: 'host-1/network may not call flotilla.vm.v1.VmService/GetVm of host-1',
    },
  });
  t.false(
    callersOf(undefined)('undefined/vm-lifecycle', '/flotilla.network.v1.VifService/Plug').ok,
  );
  for (const path of methods) t.true(callers(null, path).ok, 'plain text has no identities');
});

/** Serves disks and consoles as host-1 to whoever has a certificate, and tells what reached a handler. */
async function serving(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-callers-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const now = milliseconds(Date.now());
  const authority = await openAuthority(directory, 'test', now);
  const credentialsOf = async (name: string) => {
    const identity = await issue(authority, { name, hosts: ['127.0.0.1'] }, now);
    const read = await readCredentials(await writeIdentity(directory, name, identity));
    if (!read.ok) throw new Error(read.error.message);
    return read.value;
  };
  const reached: string[] = [];
  const reach = (what: string, { identity }: RpcCall) => reached.push(`${what} by ${identity}`);
  const disks = mount(AttachmentService, {
    attach: async (_request, call) => {
      reach('attach', call);
      return ok({ path: '/dev/loop0' });
    },
  });
  const vms = mount(VmService, {
    watchVms: async (_request, call) => {
      reach('watch', call);
      return ok(undefined);
    },
    openConsole: async (call) => {
      reach('console', call);
      return ok(undefined);
    },
  });
  const { server: credentials } = await credentialsOf('host-1/storage');
  const services = [disks, vms];
  const server = await serve({ listen: '127.0.0.1:0', credentials, host: 'host-1', services });
  if (!server.ok) throw new Error(server.error.message);
  t.teardown(() => server.value.close());
  const as = async (identity: string) => {
    const connection = connect(server.value.address, (await credentialsOf(identity)).client);
    t.teardown(() => connection.close());
    return connection;
  };
  return { as, reached };
}

/** How a stream ended: OK, or the status that the server gave. */
async function endOf(stream: AsyncIterable<unknown>): Promise<status> {
  try {
    for await (const _ of stream);
    return status.OK;
  } catch (error) {
    return (error as ServiceError).code;
  }
}

test('who may not call is refused before a handler hears of it, by calls of every kind', async (t) => {
  const { as, reached } = await serving(t);
  const outcomes = async (identity: string) => {
    const connection = await as(identity);
    const attach = await connection.client(AttachmentService).attach({}, { timeout });
    const vms = connection.client(VmService);
    return [
      attach.ok ? status.OK : attach.error.code,
      await endOf(vms.watchVms({}, { timeout })),
      await endOf(vms.openConsole({ timeout })),
    ];
  };
  const no = status.PERMISSION_DENIED;
  t.deepEqual(await outcomes('host-1/network'), [no, no, no]);
  t.deepEqual(await outcomes('auditor'), [no, no, no]);
  t.deepEqual(reached, []);
  t.deepEqual(await outcomes('host-2/vm-lifecycle'), [no, no, status.OK]);
  t.deepEqual(await outcomes('host-1/vm-lifecycle'), [status.OK, no, status.OK]);
  t.deepEqual(await outcomes('operator'), [status.OK, status.OK, status.OK]);
  t.deepEqual(reached, [
    'console by host-2/vm-lifecycle',
    'attach by host-1/vm-lifecycle',
    'console by host-1/vm-lifecycle',
    ...['attach', 'watch', 'console'].map((what) => `${what} by operator`),
  ]);
});
