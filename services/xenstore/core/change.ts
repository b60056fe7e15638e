import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';
import type { Ledger } from './ledger.ts';
import type { Path } from './path.ts';
import {
  allows,
  type Caller,
  type DomainId,
  inherited,
  owns,
  type Permissions,
} from './permissions.ts';
import type { QuotaName } from './quota.ts';
import {
  lineage,
  type Node,
  newNode,
  nodeHeaderBytes,
  permissionBytes,
  rehang,
  type Stamp,
  withContent,
  withNode,
} from './tree.ts';

/** What a request changes; kept as data, so that a transaction can be applied again at its end. */
export type Change =
  | { readonly kind: 'write'; readonly path: Path; readonly value: Uint8Array }
  | { readonly kind: 'mkdir'; readonly path: Path }
  | { readonly kind: 'remove'; readonly path: Path }
  | { readonly kind: 'permissions'; readonly path: Path; readonly permissions: Permissions };

/** Who makes a change: it owns what it makes, and its quotas bound that. */
export interface Maker extends Caller {
  readonly used: { readonly nodes: number; readonly memory: number };
  exceeds(quota: QuotaName, value: number): boolean;
}

/** Makes changes that were allowed before: those of a stream, and what a domain's end brings. */
export function trusted(id: DomainId): Maker {
  const used = { nodes: 0, memory: 0 };
  return { id, target: null, privileged: true, used, exceeds: () => false };
}

/** A tree after a change. */
export interface Changed {
  readonly top: Node;
  /** False where there was nothing to do: making a node that exists, removing one that does not. */
  readonly effective: boolean;
}

type Outcome = Result<Changed, XenstoreError>;

/** What all kinds of change have in common. */
interface Setting {
  readonly maker: Maker;
  readonly stamp: Stamp;
  readonly ledger: Ledger;
  readonly path: Path;
  /** The nodes from the top to the path, as far as they exist. */
  readonly line: readonly Node[];
  /** The last of them. */
  readonly nearest: Node;
  readonly node: Node | undefined;
}

/**
 * Applies a change, and books it. After a failure there is the old tree, and nothing to undo; what
 * the ledger has is then of no use (XSA-414, XSA-415).
 */
export function applyChange(
  top: Node,
  change: Change,
  maker: Maker,
  stamp: Stamp,
  ledger: Ledger,
): Outcome {
  const { path } = change;
  const line = lineage(top, path);
  const nearest = line[line.length - 1] ?? top;
  const node = line[path.length];
  const setting: Setting = { maker, stamp, ledger, path, line, nearest, node };
  switch (change.kind) {
    case 'write':
      return node === undefined
        ? make(setting, change.value)
        : replace(setting, node, change.value, node.permissions);
    case 'mkdir':
      if (node === undefined) return make(setting, null);
      return allows(node.permissions, maker, 'write')
        ? ok({ top, effective: false })
        : fail('EACCES');
    case 'remove':
      return remove(setting, top);
    case 'permissions':
      return setPermissions(setting, change.permissions);
  }
}

/** Bytes of a node as the quota `node-size` counts them. */
function sizeOf(permissions: Permissions, value: number, names: number): number {
  return nodeHeaderBytes + permissionBytes * permissions.length + value + names;
}

/** Books bytes, and fails where they are more than the maker may have. */
function bookBytes({ maker, ledger }: Setting, owner: DomainId, bytes: number): boolean {
  ledger.add(owner, 0, bytes);
  if (maker.privileged || bytes <= 0) return true;
  return !maker.exceeds('memory', maker.used.memory + ledger.bytesOf(maker.id));
}

/** Makes the node at `path`, which does not exist, and the parents that are missing (XSA-272). */
function make(setting: Setting, value: Uint8Array | null): Outcome {
  const { maker, stamp, ledger, path, line, nearest } = setting;
  if (!allows(nearest.permissions, maker, 'write')) return fail('EACCES');
  const permissions = inherited(nearest.permissions, maker.id);
  const owner = permissions[0].domain;
  const first = line.length - 1;
  ledger.add(owner, path.length - first, 0);
  if (!maker.privileged && makesTooMuch(setting, permissions, value?.length ?? 0))
    return fail('ENOSPC');
  let child = newNode(path[path.length - 1] ?? '', value, permissions, stamp);
  for (let depth = path.length - 2; depth >= first; depth -= 1) {
    const parent = newNode(path[depth] ?? '', null, permissions, stamp);
    child = withNode(parent, [path[depth + 1] ?? ''], child, stamp);
  }
  if (!bookBytes(setting, owner, child.bytes)) return fail('ENOMEM');
  return ok({ top: rehang(line, path.slice(0, first + 1), child, stamp), effective: true });
}

function makesTooMuch(
  { maker, ledger, path, line, nearest }: Setting,
  permissions: Permissions,
  value: number,
): boolean {
  if (maker.exceeds('nodes', maker.used.nodes + ledger.nodesOf(maker.id))) return true;
  const first = line.length - 1;
  const names = nearest.children.nameBytes + (path[first] ?? '').length + 1;
  const sizes = [sizeOf(nearest.permissions, nearest.value.length, names)];
  for (const name of path.slice(first + 1)) sizes.push(sizeOf(permissions, 0, name.length + 1));
  sizes.push(sizeOf(permissions, value, 0));
  return maker.exceeds('node-size', Math.max(...sizes));
}

function replace(
  setting: Setting,
  node: Node,
  value: Uint8Array,
  permissions: Permissions,
): Outcome {
  const { maker, stamp, path, line } = setting;
  if (!allows(node.permissions, maker, 'write')) return fail('EACCES');
  const size = sizeOf(permissions, value.length, node.children.nameBytes);
  if (!maker.privileged && maker.exceeds('node-size', size)) return fail('ENOSPC');
  const next = withContent(node, value, permissions, stamp);
  if (!bookBytes(setting, permissions[0].domain, next.bytes - node.bytes)) return fail('ENOMEM');
  return ok({ top: rehang(line, path, next, stamp), effective: true });
}

function remove({ maker, stamp, ledger, path, line, nearest, node }: Setting, top: Node): Outcome {
  if (!allows(nearest.permissions, maker, 'write')) return fail('EACCES');
  // The node may be missing, but not its parent.
  if (node === undefined)
    return line.length < path.length ? fail('ENOENT') : ok({ top, effective: false });
  if (path.length === 1) return fail('EINVAL');
  ledger.remove(node);
  return ok({ top: rehang(line, path, undefined, stamp), effective: true });
}

function setPermissions(setting: Setting, permissions: Permissions): Outcome {
  const { maker, ledger, path, nearest, node } = setting;
  if (node === undefined)
    return fail(allows(nearest.permissions, maker, 'write') ? 'ENOENT' : 'EACCES');
  if (!owns(node.permissions, maker)) return fail('EACCES');
  const [{ domain: owner }] = node.permissions;
  const next = permissions[0].domain;
  if (owner !== next) {
    // Only the control domain gives a node away (XSA-352).
    if (!maker.privileged) return fail('EPERM');
    const name = path[path.length - 1] ?? '';
    const bytes = sizeOf(node.permissions, node.value.length, name.length);
    ledger.add(owner, -1, -bytes);
    ledger.add(next, 1, bytes);
  }
  return replace(setting, node, node.value, permissions);
}
