import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Bytes, bytes } from '../../../../base/units.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { StreamCall } from '../../../../pool/rpc/handler.ts';
import type {
  Node as NodeMessage,
  Permission as PermissionMessage,
  ReadTreeRequest,
  ReadTreeResponse,
} from '../../../../proto/gen/flotilla.xenstore.v1.ts';
import { formatPath, type Path, parsePath } from '../../core/path.ts';
import { controlDomain, type Permissions } from '../../core/permissions.ts';
import { type Node, nodeAt } from '../../core/tree.ts';
import { failureOf } from './failures.ts';
import { isAskable } from './requests.ts';
import { levelsOf } from './streams.ts';

/** A message of the stream is sent when its nodes have grown to this. */
const batchSize: Bytes = bytes(64 * 2 ** 10);

/**
 * Streams a node and all below it. The tree is immutable: what is sent is the tree of the moment of the
 * call, however long the caller takes.
 */
export async function readTree(
  top: Node,
  { path, depth }: ReadTreeRequest,
  call: StreamCall<ReadTreeResponse>,
): Promise<Result<void, Failure>> {
  const levels = levelsOf(depth);
  if (!levels.ok) return levels;
  const parsed = isAskable(path) ? parsePath(path, controlDomain) : fail<'EINVAL'>('EINVAL');
  if (!parsed.ok) return fail(failureOf(parsed.error, path));
  const node = nodeAt(top, parsed.value);
  if (node === undefined) return fail(failureOf('ENOENT', path));
  let batch: NodeMessage[] = [];
  let size = 0;
  for (const message of nodesOf(parsed.value, node, levels.value)) {
    batch.push(message);
    size += message.path.length + message.value.length + 8 * message.permissions.length;
    if (size < batchSize) continue;
    await call.send({ nodes: batch });
    if (call.signal.aborted) return ok(undefined);
    batch = [];
    size = 0;
  }
  if (batch.length > 0) await call.send({ nodes: batch });
  return ok(undefined);
}

/** Parents before their children, and these in the order in which they were made. */
function* nodesOf(path: Path, node: Node, levels: number | undefined): Generator<NodeMessage> {
  const end = levels === undefined ? Number.POSITIVE_INFINITY : path.length + levels;
  const rest: { readonly path: Path; readonly node: Node }[] = [{ path, node }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { value, permissions, children } = next.node;
    yield { path: formatPath(next.path), value, permissions: permissionMessages(permissions) };
    if (next.path.length >= end) continue;
    for (const name of children.names().toReversed()) {
      const child = children.get(name);
      if (child !== undefined) rest.push({ path: [...next.path, name], node: child });
    }
  }
}

/** Permissions as callers read them. */
export function permissionMessages(permissions: Permissions): readonly PermissionMessage[] {
  return permissions.map(({ domain, read, write }) => ({ domid: domain, read, write }));
}
