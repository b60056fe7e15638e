import { fail, ok, type Result } from '../../../base/result.ts';
import type { Handler, Outcome, Request } from './actions.ts';
import type { Change } from './change.ts';
import { directory, directoryPart } from './directory.ts';
import type { Domain } from './domain.ts';
import type { XenstoreError } from './error.ts';
import { localLength, type Path, parsePath, parseWatchable } from './path.ts';
import { nulTerminated, readHead, readString, readStrings } from './payload.ts';
import { allows, formatPermission, type Permissions, parsePermissions } from './permissions.ts';
import { done } from './reply.ts';
import type { Aspect } from './transaction.ts';
import { type Node, nodeAt } from './tree.ts';

/** What reads and changes nodes: docs/misc/xenstore.txt, "Database read, write and permissions". */

/** A path that is well formed and not longer than the client's quota allows. */
export function checkedPath(
  text: string,
  domain: Domain,
  parse: typeof parsePath,
): Result<Path, XenstoreError> {
  const path = parse(text, domain.id);
  if (!path.ok || domain.privileged) return path;
  return domain.exceeds('path-max', localLength(path.value)) ? fail('EINVAL') : path;
}

/** READ: the value of a node. */
export const read: Handler = (request) =>
  inspect(request, 'value', parsePath, (node) => ok(node.value));

/** DIRECTORY: the names of a node's children. */
export const list: Handler = (request) => inspect(request, 'children', parsePath, directory);

/** GET_PERMS: the permissions of a node or of a special event. */
export const getPermissions: Handler = (request) =>
  inspect(request, 'permissions', parseWatchable, (node) =>
    ok(nulTerminated(...node.permissions.map(formatPermission))),
  );

/** DIRECTORY_PART: as many names as fit, from an offset into the list on. */
export const listPart: Handler = (request) => {
  const [text, offset, more] = readStrings(request.payload);
  if (text === undefined || offset === undefined || more !== undefined) return fail('EINVAL');
  if (!/^\d{1,9}$/.test(offset)) return fail('EINVAL');
  return inspectAt(request, text, 'children', parsePath, (node) =>
    ok(directoryPart(node, Number(offset))),
  );
};

/** WRITE: sets a value, and makes what is missing. */
export const write: Handler = (request) => {
  const parts = readHead(request.payload);
  if (!parts.ok) return parts;
  const path = checkedPath(parts.value.head, request.connection.domain, parsePath);
  if (!path.ok) return path;
  // A copy of its own: the packet is a view of a larger buffer, which would be kept with it (416).
  const value = new Uint8Array(parts.value.rest);
  return change(request, { kind: 'write', path: path.value, value });
};

/** MKDIR: makes what is missing. */
export const makeDirectory: Handler = (request) => onePath(request, 'mkdir');

/** RM: removes a node and all below it. */
export const remove: Handler = (request) => onePath(request, 'remove');

/** SET_PERMS: sets the permissions of a node or of a special event. */
export const setPermissions: Handler = (request) => {
  const { store, connection, payload } = request;
  const { domain } = connection;
  const parts = readHead(payload);
  if (!parts.ok) return parts;
  const texts = readStrings(parts.value.rest);
  if (texts.length === 0) return fail('EINVAL');
  if (domain.exceeds('permissions', texts.length)) return fail('ENOSPC');
  const parsed = parsePermissions(texts);
  if (!parsed.ok) return parsed;
  const [owner, ...others] = parsed.value;
  if (!store.domains.exists(owner.domain)) return fail('ENOENT');
  // Who is not there yet shall not find itself welcome when it comes (XSA-417).
  const permissions: Permissions = [
    owner,
    ...others.map((entry) =>
      store.domains.exists(entry.domain) ? entry : { ...entry, stale: true as const },
    ),
  ];
  const path = checkedPath(parts.value.head, domain, parseWatchable);
  if (!path.ok) return path;
  return change(request, { kind: 'permissions', path: path.value, permissions });
};

function inspect(
  request: Request,
  aspect: Aspect,
  parse: typeof parsePath,
  answer: (node: Node) => Result<Uint8Array, XenstoreError>,
): Outcome {
  const text = readString(request.payload);
  return text.ok ? inspectAt(request, text.value, aspect, parse, answer) : text;
}

function inspectAt(
  request: Request,
  text: string,
  aspect: Aspect,
  parse: typeof parsePath,
  answer: (node: Node) => Result<Uint8Array, XenstoreError>,
): Outcome {
  const { store, connection, transaction } = request;
  const { domain } = connection;
  const path = checkedPath(text, domain, parse);
  if (!path.ok) return path;
  if (transaction !== undefined && full(request, transaction.nodes + 1)) return fail('ENOSPC');
  const top = transaction?.top ?? store.top;
  const before = transaction?.bytes ?? 0;
  const node = transaction?.read(path.value, aspect) ?? nodeAt(top, path.value);
  if (transaction !== undefined) domain.use('memory', transaction.bytes - before);
  if (node === undefined) return fail(missing(top, path.value, domain));
  if (!allows(node.permissions, domain, 'read')) return fail('EACCES');
  const reply = answer(node);
  return reply.ok ? ok({ reply: reply.value }) : reply;
}

/** That a node is missing is told only to those who may read its nearest parent. */
function missing(top: Node, path: Path, domain: Domain): XenstoreError {
  let nearest = top;
  for (const name of path) {
    const next = nearest.children.get(name);
    if (next === undefined) break;
    nearest = next;
  }
  return allows(nearest.permissions, domain, 'read') ? 'ENOENT' : 'EACCES';
}

/** Whether a transaction would have too many nodes; it cannot be committed then. */
function full({ connection, transaction }: Request, nodes: number): boolean {
  if (!connection.domain.exceeds('transaction-nodes', nodes)) return false;
  transaction?.doom('ENOMEM');
  return true;
}

function change(request: Request, wanted: Change): Outcome {
  const { store, transaction } = request;
  if (transaction !== undefined && full(request, transaction.nodes + 1)) return fail('ENOSPC');
  const outcome = store.change(request, wanted);
  return outcome.ok ? done : outcome;
}

function onePath(request: Request, kind: 'mkdir' | 'remove'): Outcome {
  const text = readString(request.payload);
  if (!text.ok) return text;
  const path = checkedPath(text.value, request.connection.domain, parsePath);
  return path.ok ? change(request, { kind, path: path.value }) : path;
}
