import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';
import type { Path } from './path.ts';
import {
  allows,
  controlDomain,
  type DomainId,
  inherited,
  type Permissions,
} from './permissions.ts';
import {
  emptyNode,
  type Generation,
  lineage,
  type Node,
  nodeAt,
  withNode,
  withoutNode,
} from './tree.ts';

/** What a request changes; kept as data, so that a transaction can be applied again at its end. */
export type Change =
  | { readonly kind: 'write'; readonly path: Path; readonly value: Uint8Array }
  | { readonly kind: 'mkdir'; readonly path: Path }
  | { readonly kind: 'remove'; readonly path: Path }
  | { readonly kind: 'permissions'; readonly path: Path; readonly permissions: Permissions };

/** A tree after a change. */
export interface Changed {
  readonly root: Node;
  /** False where there was nothing to do: making a node that exists, removing one that does not. */
  readonly effective: boolean;
}

/** Applies a change as `domain`. After a failure nothing has changed (XSA-414, XSA-415). */
export function applyChange(
  root: Node,
  change: Change,
  domain: DomainId,
  generation: Generation,
): Result<Changed, XenstoreError> {
  switch (change.kind) {
    case 'write':
      return write(root, change.path, change.value, domain, generation);
    case 'mkdir':
      return makeDirectory(root, change.path, domain, generation);
    case 'remove':
      return remove(root, change.path, domain, generation);
    case 'permissions':
      return setPermissions(root, change.path, change.permissions, domain, generation);
  }
}

function changed(root: Node): Result<Changed, XenstoreError> {
  return ok({ root, effective: true });
}

/** Makes the node at `path`, which does not exist, and the parents that are missing. */
function make(
  root: Node,
  path: Path,
  value: Uint8Array | null,
  domain: DomainId,
  generation: Generation,
): Result<Changed, XenstoreError> {
  const line = lineage(root, path);
  const parent = line.at(-1) ?? root;
  if (!allows(parent.permissions, domain, 'write')) return fail('EACCES');
  const permissions = inherited(parent.permissions, domain);
  let next = root;
  for (let depth = line.length; depth <= path.length; depth += 1) {
    const node = emptyNode(permissions, generation);
    const last = depth === path.length && value !== null;
    next = withNode(next, path.slice(0, depth), last ? { ...node, value } : node, generation);
  }
  return changed(next);
}

function write(
  root: Node,
  path: Path,
  value: Uint8Array,
  domain: DomainId,
  generation: Generation,
): Result<Changed, XenstoreError> {
  const node = nodeAt(root, path);
  if (node === undefined) return make(root, path, value, domain, generation);
  if (!allows(node.permissions, domain, 'write')) return fail('EACCES');
  return changed(
    withNode(root, path, { ...node, value, contentGeneration: generation }, generation),
  );
}

function makeDirectory(
  root: Node,
  path: Path,
  domain: DomainId,
  generation: Generation,
): Result<Changed, XenstoreError> {
  const node = nodeAt(root, path);
  if (node === undefined) return make(root, path, null, domain, generation);
  if (!allows(node.permissions, domain, 'write')) return fail('EACCES');
  return ok({ root, effective: false });
}

function remove(
  root: Node,
  path: Path,
  domain: DomainId,
  generation: Generation,
): Result<Changed, XenstoreError> {
  if (path.length === 0) return fail('EINVAL');
  const line = lineage(root, path);
  const node = line[path.length];
  if (node === undefined) {
    // The node may be missing, but not its parent.
    const parent = line[path.length - 1];
    if (parent === undefined) return fail('ENOENT');
    return allows(parent.permissions, domain, 'write')
      ? ok({ root, effective: false })
      : fail('EACCES');
  }
  if (!allows(node.permissions, domain, 'write')) return fail('EACCES');
  return changed(withoutNode(root, path, generation));
}

function setPermissions(
  root: Node,
  path: Path,
  permissions: Permissions,
  domain: DomainId,
  generation: Generation,
): Result<Changed, XenstoreError> {
  const node = nodeAt(root, path);
  if (node === undefined) return fail('ENOENT');
  const owner = node.permissions[0].domain;
  // Only who owns a node sets its permissions, and only the control domain gives it away (XSA-352).
  if (domain !== controlDomain && (domain !== owner || permissions[0].domain !== owner))
    return fail('EACCES');
  return changed(
    withNode(root, path, { ...node, permissions, contentGeneration: generation }, generation),
  );
}
