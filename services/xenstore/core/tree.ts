import { Children } from './children.ts';
import type { Path } from './path.ts';
import { anyDomain, controlDomain, type DomainId, type Permissions } from './permissions.ts';

/**
 * xenstore's tree, immutable: a change makes new nodes along one path and shares the rest, so that
 * keeping an old version, as a transaction does, costs nothing. Above `/` is one more node, which
 * clients never see; the special events hang beside `/`, so that they have permissions like nodes.
 *
 * Every node sums up what is below it, so that removing a tree, or looking for all that a dead domain
 * has left, does not visit nodes that do not matter.
 */

/** A number that is different for every change made to any tree; it only grows. */
export type Generation = number;

/** Stands for the owner of a tree whose nodes have, or once had, several. */
export const severalOwners = -1;

/** What a node costs beyond its name, value and permissions, in bytes: the header that C stores. */
export const nodeHeaderBytes = 16;

/** What an entry of permissions costs in bytes, as in C. */
export const permissionBytes = 8;

/** One node. Replaced, never changed. */
export interface Node {
  readonly value: Uint8Array;
  readonly permissions: Permissions;
  readonly children: Children<Node>;
  /** When its value or permissions were last set. */
  readonly contentGeneration: Generation;
  /** When a child was last added or removed. */
  readonly childrenGeneration: Generation;
  /** Who last did either. */
  readonly changedBy: DomainId;
  /** How many nodes this tree has, itself included. */
  readonly nodes: number;
  /** How many bytes they take, as quotas count. */
  readonly bytes: number;
  /** The owner of every node of this tree, or `severalOwners`. */
  readonly owner: number;
  /** A bit for each domain that permissions in this tree name, or once named: see `mentionOf`. */
  readonly mentions: number;
}

/** The bit of a domain in `mentions`; other domains may have the same. */
export function mentionOf(domain: DomainId): number {
  return 1 << (domain % 31);
}

function mentionsOf(permissions: Permissions): number {
  let mentions = 0;
  for (const { domain } of permissions) if (domain !== anyDomain) mentions |= mentionOf(domain);
  return mentions;
}

const noValue = new Uint8Array(0);
const noChildren = Children.empty<Node>();

/** Who changes a tree, and when. */
export interface Stamp {
  readonly by: DomainId;
  readonly generation: Generation;
}

/** A node without children. */
export function newNode(
  name: string,
  value: Uint8Array | null,
  permissions: Permissions,
  { by, generation }: Stamp,
): Node {
  const content = value ?? noValue;
  return {
    value: content,
    permissions,
    children: noChildren,
    contentGeneration: generation,
    childrenGeneration: generation,
    changedBy: by,
    nodes: 1,
    bytes: nodeHeaderBytes + permissionBytes * permissions.length + name.length + content.length,
    owner: permissions[0].domain,
    mentions: mentionsOf(permissions),
  };
}

/** A node with another value and other permissions, and the children that it has. */
export function withContent(
  node: Node,
  value: Uint8Array,
  permissions: Permissions,
  { by, generation }: Stamp,
): Node {
  const mine = permissions[0].domain;
  const alone = node.children.size === 0;
  return {
    value,
    permissions,
    children: node.children,
    contentGeneration: generation,
    childrenGeneration: node.childrenGeneration,
    changedBy: by,
    nodes: node.nodes,
    bytes:
      node.bytes +
      (value.length - node.value.length) +
      permissionBytes * (permissions.length - node.permissions.length),
    owner: alone || node.owner === mine ? mine : severalOwners,
    mentions: alone ? mentionsOf(permissions) : node.mentions | mentionsOf(permissions),
  };
}

/** A node of which one child, which was `old`, is `child` now; undefined stands for none. */
function withChild(
  node: Node,
  name: string,
  old: Node | undefined,
  child: Node | undefined,
  { by, generation }: Stamp,
): Node {
  const listed = old === undefined || child === undefined;
  const children = changed(node.children, name, old, child);
  const alone = children.size === 0;
  const mine = node.permissions[0].domain;
  const same = child === undefined || child.owner === node.owner;
  return {
    value: node.value,
    permissions: node.permissions,
    children,
    contentGeneration: node.contentGeneration,
    childrenGeneration: listed ? generation : node.childrenGeneration,
    changedBy: listed ? by : node.changedBy,
    nodes: node.nodes + (child?.nodes ?? 0) - (old?.nodes ?? 0),
    bytes: node.bytes + (child?.bytes ?? 0) - (old?.bytes ?? 0),
    owner: alone ? mine : same ? node.owner : severalOwners,
    mentions: alone ? mentionsOf(node.permissions) : node.mentions | (child?.mentions ?? 0),
  };
}

function changed(
  children: Children<Node>,
  name: string,
  old: Node | undefined,
  child: Node | undefined,
): Children<Node> {
  if (child === undefined) return children.without(name);
  return old === undefined ? children.with(name, child) : children.replacing(name, child);
}

/** What a node is that was written down, but for what it sums up. */
export interface NodeParts
  extends Pick<
    Node,
    'value' | 'permissions' | 'contentGeneration' | 'childrenGeneration' | 'changedBy'
  > {
  readonly name: string;
  /** In the order in which they are listed. */
  readonly children: readonly (readonly [name: string, child: Node])[];
  /** What it knew of the owners, and of the domains named, in its tree; null: what there is now. */
  readonly known: Pick<Node, 'owner' | 'mentions'> | null;
}

/** A node that was written down, made again of its parts. */
export function assembled({ name, children, known, ...content }: NodeParts): Node {
  const { value, permissions } = content;
  let nodes = 1;
  let bytes = nodeHeaderBytes + permissionBytes * permissions.length + name.length + value.length;
  let owner: number = permissions[0].domain;
  let mentions = mentionsOf(permissions);
  let all = noChildren;
  for (const [each, child] of children) {
    all = all.with(each, child);
    nodes += child.nodes;
    bytes += child.bytes;
    if (child.owner !== owner) owner = severalOwners;
    mentions |= child.mentions;
  }
  return { ...content, children: all, nodes, bytes, owner, mentions, ...known };
}

const privately: Permissions = [{ domain: controlDomain, read: false, write: false }];

/**
 * What a new xenstore has: `/tool/xenstored`, as C xenstored, and the special events. All of it
 * belongs to the control domain, and nobody else may use it.
 */
export function initialTree(): Node {
  const stamp: Stamp = { by: controlDomain, generation: 0 };
  let top = newNode('', null, privately, stamp);
  for (const text of ['', '/tool', '/tool/xenstored', '@introduceDomain', '@releaseDomain']) {
    const path = text.split('/');
    top = withNode(top, path, newNode(path.at(-1) ?? '', null, privately, stamp), stamp);
  }
  return top;
}

/** The node at a path; undefined where there is none. */
export function nodeAt(top: Node, path: Path): Node | undefined {
  let node: Node | undefined = top;
  for (let depth = 0; depth < path.length && node !== undefined; depth += 1)
    node = node.children.get(path[depth] ?? '');
  return node;
}

/**
 * The nodes from the top to the path, as far as they exist. Its length is one more than the path's
 * where the node exists.
 */
export function lineage(top: Node, path: Path): Node[] {
  const line = [top];
  let node: Node | undefined = top;
  for (let depth = 0; depth < path.length; depth += 1) {
    node = node.children.get(path[depth] ?? '');
    if (node === undefined) break;
    line.push(node);
  }
  return line;
}

/** The tree with `child` at `path`, all of whose parents are in `line`; undefined removes it. */
export function rehang(
  line: readonly Node[],
  path: Path,
  child: Node | undefined,
  stamp: Stamp,
): Node {
  let next = child;
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const parent = line[depth];
    const name = path[depth];
    if (parent === undefined || name === undefined) throw new RangeError('a parent is missing');
    next = withChild(parent, name, line[depth + 1], next, stamp);
  }
  if (next === undefined) throw new RangeError('the top cannot be removed');
  return next;
}

/** The tree with another node at `path`; every parent of it exists. */
export function withNode(top: Node, path: Path, node: Node, stamp: Stamp): Node {
  return rehang(lineage(top, path), path, node, stamp);
}
