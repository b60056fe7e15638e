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
import { parsePath } from '../../core/path.ts';
import { controlDomain, type Permission } from '../../core/permissions.ts';
import { isAskable } from './askable.ts';
import { failureOf } from './failures.ts';
import { levelsOf } from './streams.ts';
import type { Xenstore } from './xenstore.ts';

/** A message of the stream is sent when its nodes have grown to this. */
const batchSize: Bytes = bytes(64 * 2 ** 10);

/** Streams a node and all below it, as they were at one moment, however long the caller takes. */
export async function readTree(
  xenstore: Xenstore,
  { path, depth }: ReadTreeRequest,
  call: StreamCall<ReadTreeResponse>,
): Promise<Result<void, Failure>> {
  const levels = levelsOf(depth);
  if (!levels.ok) return levels;
  const parsed = isAskable(path) ? parsePath(path, controlDomain) : fail<'EINVAL'>('EINVAL');
  if (!parsed.ok) return fail(failureOf(parsed.error, path));
  const tree = await xenstore.tree(parsed.value, levels.value);
  if (!tree.ok) return tree;
  let batch: NodeMessage[] = [];
  let size = 0;
  for (const node of tree.value) {
    const permissions = permissionMessages(node.permissions ?? []);
    const message = { path: node.path, value: node.value ?? new Uint8Array(0), permissions };
    batch.push(message);
    size += message.path.length + message.value.length + 8 * permissions.length;
    if (size < batchSize) continue;
    await call.send({ nodes: batch });
    if (call.signal.aborted) return ok(undefined);
    batch = [];
    size = 0;
  }
  if (batch.length > 0) await call.send({ nodes: batch });
  return ok(undefined);
}

/** Permissions as callers read them. */
export function permissionMessages(
  permissions: readonly Permission[],
): readonly PermissionMessage[] {
  return permissions.map(({ domain, read, write }) => ({ domid: domain, read, write }));
}
