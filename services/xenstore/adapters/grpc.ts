import { bounds } from '../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import type { Failure } from '../../../pool/failure.ts';
import { type Mounted, mount } from '../../../pool/rpc/handler.ts';
import {
  type Permission as PermissionMessage,
  XenstoreService,
} from '../../../proto/gen/flotilla.xenstore.v1.ts';
import type { XenstoreError } from '../core/error.ts';
import { bytesOf, nulTerminated, textOf } from '../core/payload.ts';
import { type DomainId, formatPermission, parsePermissions } from '../core/permissions.ts';
import type { MessageName } from '../core/wire.ts';
import type { Daemon } from './daemon.ts';
import { LocalClient } from './local-client.ts';

/** A transaction that was begun over gRPC and is not ended by then is ended without effect. */
const transactionPatience: Milliseconds = milliseconds(60_000);

/** Transactions that may be open over gRPC at once, of all callers together. */
const transactionsMax = 1000;

const sentences: Readonly<Record<XenstoreError, string>> = {
  EINVAL: 'the request or its path is not well formed',
  EACCES: 'the permissions of the node do not allow it',
  EEXIST: 'it is there already',
  ENOENT: 'there is no such node or transaction',
  ENOSYS: 'this release does not have it',
  EBUSY: 'a transaction is open already',
  EAGAIN: 'something that the transaction had read was changed by somebody else',
  E2BIG: 'the reply or the request is larger than xenstore allows',
  ENOSPC: 'a quota of the domain is used up',
  ENOMEM: 'the memory that the domain may use is used up, or its transaction went too far',
  EPERM: 'only the control domain gives a node to another domain',
  EIO: 'the hypervisor refused it',
};

function failureOf(error: XenstoreError, path: string): Failure {
  return {
    reason: 'XENSTORE',
    message: `${error}: ${sentences[error]}`,
    remedy: error === 'EAGAIN' ? 'Start the transaction again.' : '',
    resource: { type: 'node', name: path },
  };
}

/** Serves `flotilla.xenstore.v1` from a daemon in the same process, as domain 0. */
export function xenstoreService(daemon: Daemon): Mounted {
  const client = new LocalClient(daemon, () => undefined);
  const expiries = new Map<number, NodeJS.Timeout>();

  const ask = (
    name: MessageName,
    path: string,
    transaction: number,
    rest: Uint8Array = new Uint8Array(0),
  ): Result<Uint8Array, Failure> => {
    // A character of more than a byte, or a NUL, would become another path on the way.
    if (!/^[\x20-\x7e]*$/.test(path)) return fail(failureOf('EINVAL', path));
    const payload = Buffer.concat([nulTerminated(path), rest]);
    const reply = client.request(name, transaction, payload);
    return reply.ok ? reply : fail(failureOf(reply.error, path));
  };
  const end = (transaction: number, commit: boolean): Result<Uint8Array, Failure> => {
    clearTimeout(expiries.get(transaction));
    expiries.delete(transaction);
    return ask('TRANSACTION_END', commit ? 'T' : 'F', transaction);
  };
  const done = (reply: Result<Uint8Array, Failure>): Result<object, Failure> =>
    reply.ok ? ok({}) : reply;

  return mount(XenstoreService, {
    read: async ({ path, transaction }) => {
      const reply = ask('READ', path, transaction);
      return reply.ok ? ok({ value: reply.value }) : reply;
    },
    write: async ({ path, value, transaction }) => done(ask('WRITE', path, transaction, value)),
    list: async ({ path, transaction }) => listAll(ask, path, transaction),
    remove: async ({ path, transaction }) => done(ask('RM', path, transaction)),
    getPermissions: async ({ path, transaction }) => {
      const reply = ask('GET_PERMS', path, transaction);
      if (!reply.ok) return reply;
      const entries = parsePermissions(textOf(reply.value).split('\0').slice(0, -1));
      if (!entries.ok) return fail(failureOf(entries.error, path));
      return ok({
        permissions: entries.value.map(({ domain, read, write }) => ({
          domid: domain,
          read,
          write,
        })),
      });
    },
    setPermissions: async ({ path, permissions, transaction }) =>
      done(ask('SET_PERMS', path, transaction, nulTerminated(...permissions.map(entryText)))),
    watch: async ({ path }, call) => {
      const changed: string[] = [];
      let wake: () => void = () => undefined;
      const watcher = new LocalClient(daemon, (event) => {
        changed.push(event);
        wake();
      });
      call.signal.addEventListener('abort', () => wake(), { once: true });
      const watching = watcher.request('WATCH', 0, nulTerminated(path, 'grpc'));
      if (!watching.ok) {
        watcher.disconnect();
        return fail(failureOf(watching.error, path));
      }
      while (!call.signal.aborted && changed.length <= bounds.watchBacklog) {
        const next = changed.shift();
        if (next !== undefined) await call.send({ path: next });
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (changed.length > 0 || call.signal.aborted) resolve();
          });
      }
      watcher.disconnect();
      if (call.signal.aborted) return ok(undefined);
      return fail({
        reason: 'WATCH_TOO_SLOW',
        message: `more than ${bounds.watchBacklog} events of the watch were not read`,
        remedy: 'Watch again, and read what is below the path once.',
        resource: { type: 'node', name: path },
      });
    },
    startTransaction: async () => {
      if (expiries.size >= transactionsMax)
        return fail({
          reason: 'LIMIT',
          message: `${transactionsMax} transactions are open over gRPC`,
          remedy: 'End transactions that are not needed, or wait a minute.',
        });
      const reply = ask('TRANSACTION_START', '', 0);
      if (!reply.ok) return reply;
      const transaction = Number(textOf(reply.value).slice(0, -1));
      expiries.set(
        transaction,
        setTimeout(() => end(transaction, false), transactionPatience).unref(),
      );
      return ok({ transaction });
    },
    endTransaction: async ({ transaction, commit }) => done(end(transaction, commit)),
  });
}

function entryText({ domid, read, write }: PermissionMessage): string {
  return formatPermission({ domain: domid as DomainId, read, write });
}

/** Reads a list whole, in as many parts as it takes; nothing else happens between them. */
function listAll(
  ask: (
    name: MessageName,
    path: string,
    transaction: number,
    rest?: Uint8Array,
  ) => Result<Uint8Array, Failure>,
  path: string,
  transaction: number,
): Result<{ readonly children: readonly string[] }, Failure> {
  let list = '';
  while (!list.endsWith('\0\0') && list !== '\0') {
    const part = ask('DIRECTORY_PART', path, transaction, bytesOf(`${list.length}\0`));
    if (!part.ok) return part;
    const text = textOf(part.value);
    list += text.slice(text.indexOf('\0') + 1);
  }
  return ok({
    children: list.split('\0').slice(0, -2),
  });
}
