import { fail, ok, type Result } from '../../../base/result.ts';
import type { StoreActions } from './actions.ts';
import type { Change } from './change.ts';
import {
  type Connection,
  controlDomainWatchesMax,
  openTransactionsMax,
  tokenMax,
  watchesMax,
} from './connection.ts';
import { directory, directoryPart } from './directory.ts';
import type { XenstoreError } from './error.ts';
import { domainPath, isSpecial, type Path, parsePath } from './path.ts';
import { nulTerminated, readHead, readStrings, textOf } from './payload.ts';
import {
  allows,
  controlDomain,
  type DomainId,
  formatPermission,
  parsePermissions,
} from './permissions.ts';
import type { Transaction } from './transaction.ts';
import { type Node, nodeAt } from './tree.ts';
import type { Watch } from './watches.ts';
import type { MessageName, Packet } from './wire.ts';

/** The reply's payload, and the watch whose first event follows it. */
export interface Reply {
  readonly reply: Uint8Array;
  readonly watched?: Watch;
}

type Outcome = Result<Reply, XenstoreError>;

const done: Reply = { reply: nulTerminated('OK') };

/** Handles one request of one connection: the table of messages of docs/misc/xenstore.txt. */
export function handleRequest(
  store: StoreActions,
  connection: Connection,
  name: MessageName,
  packet: Packet,
): Outcome {
  const { payload, transactionId } = packet;
  const transaction = connection.transactions.get(transactionId);
  if (transactionId !== 0 && transaction === undefined) return fail('ENOENT');
  switch (name) {
    case 'READ':
      return read(store, connection, transaction, payload, 'content', (node) => ok(node.value));
    case 'DIRECTORY':
      return read(store, connection, transaction, payload, 'children', directory);
    case 'DIRECTORY_PART':
      return readPart(store, connection, transaction, payload);
    case 'GET_PERMS':
      return read(store, connection, transaction, payload, 'content', (node) =>
        ok(nulTerminated(...node.permissions.map(formatPermission))),
      );
    case 'WRITE':
      return write(store, connection, transaction, payload);
    case 'MKDIR':
      return onePath(store, connection, transaction, payload, 'mkdir');
    case 'RM':
      return onePath(store, connection, transaction, payload, 'remove');
    case 'SET_PERMS':
      return setPermissions(store, connection, transaction, payload);
    case 'WATCH':
      return watch(store, connection, payload);
    case 'UNWATCH':
      return unwatch(store, connection, payload);
    case 'RESET_WATCHES':
      return reset(store, connection);
    case 'TRANSACTION_START':
      return begin(store, connection, transaction);
    case 'TRANSACTION_END':
      return end(store, connection, transaction, packet);
    case 'GET_DOMAIN_PATH':
      return domainNumber(payload, (domain) => domainPath(domain));
    case 'IS_DOMAIN_INTRODUCED':
      if (connection.domain !== controlDomain) return fail('EACCES');
      // No domain but the control domain itself is served yet: rings are the next transport.
      return domainNumber(payload, (domain) => (domain === controlDomain ? 'T' : 'F'));
    case 'CONTROL':
    case 'INTRODUCE':
    case 'RELEASE':
    case 'RESUME':
    case 'SET_TARGET':
      return fail(connection.domain === controlDomain ? 'ENOSYS' : 'EACCES');
    case 'WATCH_EVENT':
    case 'ERROR':
      return fail('EINVAL');
  }
}

/** The node at a path, as far as the connection may read it, and remembered by the transaction. */
function readable(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  path: Path,
  aspect: 'content' | 'children',
): Result<Node, XenstoreError> {
  const node =
    transaction?.read(path, aspect) ?? (transaction ? undefined : nodeAt(store.root, path));
  if (node !== undefined)
    return allows(node.permissions, connection.domain, 'read') ? ok(node) : fail('EACCES');
  // That a node is missing is told only to those who may read its nearest parent.
  const root = transaction?.root ?? store.root;
  let parent: Node = root;
  for (const name of path) parent = parent.children.get(name) ?? parent;
  return fail(allows(parent.permissions, connection.domain, 'read') ? 'ENOENT' : 'EACCES');
}

function read(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  payload: Uint8Array,
  aspect: 'content' | 'children',
  answer: (node: Node) => Result<Uint8Array, XenstoreError>,
): Outcome {
  const strings = readStrings(payload, 1);
  if (!strings.ok) return strings;
  const path = parsePath(strings.value[0] ?? '', connection.domain);
  if (!path.ok) return path;
  const node = readable(store, connection, transaction, path.value, aspect);
  if (!node.ok) return node;
  const reply = answer(node.value);
  return reply.ok ? ok({ reply: reply.value }) : reply;
}

function readPart(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  payload: Uint8Array,
): Outcome {
  const strings = readStrings(payload, 2);
  if (!strings.ok) return strings;
  const [text = '', offset = ''] = strings.value;
  if (!/^\d{1,9}$/.test(offset)) return fail('EINVAL');
  return read(store, connection, transaction, nulTerminated(text), 'children', (node) =>
    ok(directoryPart(node, Number(offset))),
  );
}

function change(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  wanted: Change,
): Outcome {
  const outcome =
    transaction === undefined
      ? store.change(connection, wanted)
      : transaction.change(wanted, connection.domain, store.nextGeneration());
  return outcome.ok ? ok(done) : outcome;
}

function write(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  payload: Uint8Array,
): Outcome {
  const parts = readHead(payload);
  if (!parts.ok) return parts;
  const path = parsePath(parts.value.head, connection.domain);
  if (!path.ok) return path;
  const value = parts.value.rest.slice();
  return change(store, connection, transaction, { kind: 'write', path: path.value, value });
}

function onePath(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  payload: Uint8Array,
  kind: 'mkdir' | 'remove',
): Outcome {
  const strings = readStrings(payload, 1);
  if (!strings.ok) return strings;
  const path = parsePath(strings.value[0] ?? '', connection.domain);
  if (!path.ok) return path;
  return change(store, connection, transaction, { kind, path: path.value });
}

function setPermissions(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  payload: Uint8Array,
): Outcome {
  const parts = readHead(payload);
  if (!parts.ok) return parts;
  const path = parsePath(parts.value.head, connection.domain);
  if (!path.ok) return path;
  const texts = textOf(parts.value.rest).split('\0');
  if (texts.pop() !== '') return fail('EINVAL');
  const permissions = parsePermissions(texts);
  if (!permissions.ok) return permissions;
  return change(store, connection, transaction, {
    kind: 'permissions',
    path: path.value,
    permissions: permissions.value,
  });
}

function watch(store: StoreActions, connection: Connection, payload: Uint8Array): Outcome {
  const strings = readStrings(payload, 2);
  if (!strings.ok) return strings;
  const [text = '', token = ''] = strings.value;
  if (token.length > tokenMax) return fail('E2BIG');
  const path = isSpecial(text) ? ok([text]) : parsePath(text, connection.domain);
  if (!path.ok) return path;
  const most = connection.domain === controlDomain ? controlDomainWatchesMax : watchesMax;
  if (connection.watches.size >= most) return fail('E2BIG');
  const watched: Watch = { connection: connection.id, token, text, path: path.value };
  return store.watch(connection, watched) ? ok({ ...done, watched }) : fail('EEXIST');
}

function unwatch(store: StoreActions, connection: Connection, payload: Uint8Array): Outcome {
  const strings = readStrings(payload, 2);
  if (!strings.ok) return strings;
  const [text = '', token = ''] = strings.value;
  return store.unwatch(connection, text, token) ? ok(done) : fail('ENOENT');
}

/** Ends the caller's watches and its transactions (XSA-330, XSA-484). */
function reset(store: StoreActions, connection: Connection): Outcome {
  for (const each of [...connection.watches.values()])
    store.unwatch(connection, each.text, each.token);
  connection.transactions.clear();
  return ok(done);
}

function begin(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
): Outcome {
  if (transaction !== undefined) return fail('EBUSY');
  if (connection.transactions.size >= openTransactionsMax && connection.domain !== controlDomain)
    return fail('ENOSPC');
  return ok({ reply: nulTerminated(String(store.begin(connection))) });
}

function end(
  store: StoreActions,
  connection: Connection,
  transaction: Transaction | undefined,
  { payload, transactionId }: Packet,
): Outcome {
  if (transaction === undefined) return fail('ENOENT');
  const strings = readStrings(payload, 1);
  if (!strings.ok) return strings;
  const verdict = strings.value[0];
  if (verdict !== 'T' && verdict !== 'F') return fail('EINVAL');
  connection.transactions.delete(transactionId);
  if (verdict === 'F') return ok(done);
  const outcome = store.commit(connection, transaction);
  return outcome.ok ? ok(done) : outcome;
}

function domainNumber(payload: Uint8Array, answer: (domain: DomainId) => string): Outcome {
  const strings = readStrings(payload, 1);
  if (!strings.ok) return strings;
  const text = strings.value[0] ?? '';
  if (!/^\d{1,5}$/.test(text) || Number(text) > 0x7fef) return fail('EINVAL');
  return ok({ reply: nulTerminated(answer(Number(text) as DomainId)) });
}
