import { Children } from './children.ts';
import type { Path } from './path.ts';
import { controlDomain, type Permissions } from './permissions.ts';

/**
 * xenstore's tree, immutable: a change makes new nodes along one path and shares the rest, so that
 * keeping an old version, as a transaction does, costs nothing.
 */

/** A number that is different for every change made to any tree; it only grows. */
export type Generation = number;

/** One node. Replaced, never changed. */
export interface Node {
  readonly value: Uint8Array;
  readonly permissions: Permissions;
  readonly children: Children<Node>;
  /** When its value or permissions were last set. */
  readonly contentGeneration: Generation;
  /** When a child was last added or removed. */
  readonly childrenGeneration: Generation;
}

const noValue = new Uint8Array(0);

/** A node that nothing is known of but who may use it. */
export function emptyNode(permissions: Permissions, generation: Generation): Node {
  return {
    value: noValue,
    permissions,
    children: Children.empty(),
    contentGeneration: generation,
    childrenGeneration: generation,
  };
}

/** A tree of a single node, which belongs to the control domain and nobody else may use. */
export function emptyTree(): Node {
  return emptyNode([{ domain: controlDomain, read: false, write: false }], 0);
}

/** The node at a path; undefined where there is none. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const name of path) node = node?.children.get(name);
  return node;
}

/**
 * The nodes from the root to the path, as far as they exist. Its length is one more than the
 * path's where the node exists.
 */
export function lineage(root: Node, path: Path): readonly Node[] {
  const line = [root];
  let node: Node | undefined = root;
  for (const name of path) {
    node = node.children.get(name);
    if (node === undefined) break;
    line.push(node);
  }
  return line;
}

/** Hangs `replacement` below the parents in `line`, at `path`; null removes what is there. */
function rehang(
  line: readonly Node[],
  path: Path,
  replacement: Node | null,
  generation: Generation,
): Node {
  let child = replacement;
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const parent = line[depth];
    const name = path[depth];
    if (parent === undefined || name === undefined) throw new RangeError('a parent is missing');
    const known = parent.children.get(name) !== undefined;
    const changes = child === null || !known;
    child = {
      ...parent,
      children: child === null ? parent.children.without(name) : parent.children.with(name, child),
      childrenGeneration: changes ? generation : parent.childrenGeneration,
    };
  }
  if (child === null) throw new RangeError('the root cannot be removed');
  return child;
}

/** The tree with another node at `path`; every parent of it exists. */
export function withNode(root: Node, path: Path, node: Node, generation: Generation): Node {
  return rehang(lineage(root, path), path, node, generation);
}

/** The tree without the node at `path` and all below it. The path is not the root's. */
export function withoutNode(root: Node, path: Path, generation: Generation): Node {
  return rehang(lineage(root, path), path, null, generation);
}
