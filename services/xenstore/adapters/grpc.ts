import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import { type Mounted, mount, type RpcCall } from '../../../pool/rpc/handler.ts';
import {
  type Permission as PermissionMessage,
  XenstoreService,
} from '../../../proto/gen/flotilla.xenstore.v1.ts';
import type { ClientFailure } from '../client/failure.ts';
import type { NodeOperations } from '../client/nodes.ts';
import type { DomainId, Permission } from '../core/permissions.ts';
import { payloadMax } from '../core/wire.ts';
import { isAskable } from './grpc/askable.ts';
import { Commands } from './grpc/control.ts';
import { clientFailure, failureOf } from './grpc/failures.ts';
import { listPage } from './grpc/list.ts';
import { Streams } from './grpc/streams.ts';
import { Transactions } from './grpc/transactions.ts';
import { permissionMessages, readTree } from './grpc/tree.ts';
import { watchNodes } from './grpc/watch.ts';
import type { Xenstore } from './grpc/xenstore.ts';

export { gatewayTo } from './grpc/gateway.ts';
export { localXenstore } from './grpc/local.ts';

/** What every request about a node has. */
interface NodeRequest {
  readonly path: string;
  readonly transaction: number;
}

/** Serves `flotilla.xenstore.v1` from a xenstore, as domain 0: whoever may call may do everything. */
export function xenstoreService(xenstore: Xenstore): Mounted {
  const transactions = new Transactions(xenstore);
  const streams = new Streams();
  const commands = new Commands(xenstore);

  /** Where a caller finds the node: in a transaction, or in the tree of now. */
  const nodesFor = async (
    { identity }: RpcCall,
    { path, transaction }: NodeRequest,
  ): Promise<Result<NodeOperations, Failure>> => {
    if (!isAskable(path)) return fail(failureOf('EINVAL', path));
    if (transaction !== 0) return transactions.enter(identity, transaction, path);
    const client = await xenstore.client();
    return client.ok ? client : fail(clientFailure(client.error, path));
  };
  const ask = async <Value>(
    call: RpcCall,
    request: NodeRequest,
    question: (nodes: NodeOperations) => Promise<Result<Value, ClientFailure>>,
  ): Promise<Result<Value, Failure>> => {
    const nodes = await nodesFor(call, request);
    if (!nodes.ok) return nodes;
    const answer = await question(nodes.value);
    return answer.ok ? answer : fail(clientFailure(answer.error, request.path));
  };
  const done = async (answer: Promise<Result<void, Failure>>): Promise<Result<object, Failure>> => {
    const settled = await answer;
    return settled.ok ? ok({}) : settled;
  };

  return mount(XenstoreService, {
    read: async (request, call) => {
      const value = await ask(call, request, (nodes) => nodes.read(request.path));
      return value.ok ? ok({ value: value.value }) : value;
    },
    write: async (request, call) => {
      const { path, value } = request;
      if (value.length > payloadMax) return fail(failureOf('E2BIG', path));
      return done(ask(call, request, (nodes) => nodes.write(path, value)));
    },
    makeDirectory: async (request, call) =>
      done(ask(call, request, (nodes) => nodes.mkdir(request.path))),
    exists: async (request, call) => {
      const nodes = await nodesFor(call, request);
      if (!nodes.ok) return nodes;
      const value = await nodes.value.read(request.path);
      if (value.ok || value.error.code === 'ENOENT') return ok({ exists: value.ok });
      return fail(clientFailure(value.error, request.path));
    },
    list: async (request, call) => {
      const nodes = await nodesFor(call, request);
      return nodes.ok ? listPage(nodes.value, request) : nodes;
    },
    readTree: async (request, call) => {
      return streams.run(call.identity, () => readTree(xenstore, request, call));
    },
    remove: async (request, call) =>
      done(ask(call, request, (nodes) => nodes.remove(request.path))),
    getPermissions: async (request, call) => {
      const entries = await ask(call, request, (nodes) => nodes.getPermissions(request.path));
      return entries.ok ? ok({ permissions: permissionMessages(entries.value) }) : entries;
    },
    setPermissions: async (request, call) => {
      const { path, permissions } = request;
      if (permissions.length > permissionsMax) return fail(failureOf('E2BIG', path));
      const [owner, ...others] = permissions.map(permissionOf);
      if (owner === undefined) return fail(failureOf('EINVAL', path));
      return done(ask(call, request, (nodes) => nodes.setPermissions(path, [owner, ...others])));
    },
    watch: async (request, call) => {
      return streams.run(call.identity, () => watchNodes(xenstore, request, call));
    },
    startTransaction: async (_request, { identity, signal }) => {
      const transaction = await transactions.begin(identity);
      if (!transaction.ok) return transaction;
      // Nobody knows its number who could end it.
      if (signal.aborted) await transactions.end(identity, transaction.value, false);
      return ok({ transaction: transaction.value });
    },
    endTransaction: async ({ transaction, commit }, { identity }) =>
      transactions.end(identity, transaction, commit),
    control: async ({ words }, { signal }) => commands.send(words, signal),
  });
}

/** What a request of 4096 bytes has room for: an entry takes three bytes at least. */
const permissionsMax = 1365;

function permissionOf({ domid, read, write }: PermissionMessage): Permission {
  return { domain: domid as DomainId, read, write };
}
