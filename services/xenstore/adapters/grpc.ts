import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import { type Mounted, mount, type RpcCall } from '../../../pool/rpc/handler.ts';
import {
  type Permission as PermissionMessage,
  XenstoreService,
} from '../../../proto/gen/flotilla.xenstore.v1.ts';
import { nulTerminated, textOf } from '../core/payload.ts';
import { type DomainId, formatPermission, parsePermissions } from '../core/permissions.ts';
import type { MessageName } from '../core/wire.ts';
import type { Daemon } from './daemon.ts';
import type { Callers } from './grpc/callers.ts';
import { sendControl } from './grpc/control.ts';
import { failureOf } from './grpc/failures.ts';
import { listPage } from './grpc/list.ts';
import { askerOf } from './grpc/requests.ts';
import { Streams } from './grpc/streams.ts';
import { Transactions } from './grpc/transactions.ts';
import { permissionMessages, readTree } from './grpc/tree.ts';
import { watchNodes } from './grpc/watch.ts';
import { LocalClient } from './local-client.ts';

/** What every request about a node has. */
interface NodeRequest {
  readonly path: string;
  readonly transaction: number;
}

/** Serves `flotilla.xenstore.v1` from a daemon in the same process, as domain 0, to those who may call. */
export function xenstoreService(daemon: Daemon, callers: Callers): Mounted {
  const ask = askerOf(new LocalClient(daemon, () => undefined));
  const transactions = new Transactions(ask);
  const streams = new Streams();

  /** The daemon's number of the transaction that a request is in, for a caller who may ask. */
  const enter = (
    { identity }: RpcCall,
    { path, transaction }: NodeRequest,
  ): Result<number, Failure> => {
    const allowed = callers(identity, 'nodes');
    return allowed.ok ? transactions.enter(identity, transaction, path) : allowed;
  };
  const askNode = (
    call: RpcCall,
    name: MessageName,
    request: NodeRequest,
    rest?: Uint8Array,
  ): Result<Uint8Array, Failure> => {
    const entered = enter(call, request);
    return entered.ok ? ask(name, request.path, entered.value, rest) : entered;
  };
  const done = (reply: Result<unknown, Failure>): Result<object, Failure> =>
    reply.ok ? ok({}) : reply;

  return mount(XenstoreService, {
    read: async (request, call) => {
      const reply = askNode(call, 'READ', request);
      return reply.ok ? ok({ value: reply.value }) : reply;
    },
    write: async (request, call) => done(askNode(call, 'WRITE', request, request.value)),
    makeDirectory: async (request, call) => done(askNode(call, 'MKDIR', request)),
    exists: async (request, call) => {
      const entered = enter(call, request);
      if (!entered.ok) return entered;
      const reply = ask('READ', request.path, entered.value);
      if (!reply.ok && reply.error.reason !== 'NOT_FOUND') return reply;
      return ok({ exists: reply.ok });
    },
    list: async (request, call) => {
      const entered = enter(call, request);
      return entered.ok ? listPage(ask, { ...request, transaction: entered.value }) : entered;
    },
    readTree: async (request, call) => {
      const allowed = callers(call.identity, 'nodes');
      if (!allowed.ok) return allowed;
      return streams.run(call.identity, () => readTree(daemon.top, request, call));
    },
    remove: async (request, call) => done(askNode(call, 'RM', request)),
    getPermissions: async (request, call) => {
      const reply = askNode(call, 'GET_PERMS', request);
      if (!reply.ok) return reply;
      const entries = parsePermissions(textOf(reply.value).split('\0').slice(0, -1));
      if (!entries.ok) return fail(failureOf(entries.error, request.path));
      return ok({ permissions: permissionMessages(entries.value) });
    },
    setPermissions: async (request, call) => {
      const { path, permissions } = request;
      if (permissions.length > permissionsMax) return fail(failureOf('E2BIG', path));
      const entries = nulTerminated(...permissions.map(entryText));
      return done(askNode(call, 'SET_PERMS', request, entries));
    },
    watch: async (request, call) => {
      const allowed = callers(call.identity, 'nodes');
      if (!allowed.ok) return allowed;
      return streams.run(call.identity, () => watchNodes(daemon, request, call));
    },
    startTransaction: async (_request, { identity }) => {
      const allowed = callers(identity, 'nodes');
      if (!allowed.ok) return allowed;
      const transaction = transactions.begin(identity);
      return transaction.ok ? ok({ transaction: transaction.value }) : transaction;
    },
    endTransaction: async ({ transaction, commit }, { identity }) =>
      transactions.end(identity, transaction, commit),
    control: async ({ words }, { identity, signal }) => {
      const allowed = callers(identity, 'daemon');
      return allowed.ok ? sendControl(daemon, words, signal) : allowed;
    },
  });
}

/** What a request of 4096 bytes has room for: an entry takes three bytes at least. */
const permissionsMax = 1365;

function entryText({ domid, read, write }: PermissionMessage): string {
  return formatPermission({ domain: domid as DomainId, read, write });
}
