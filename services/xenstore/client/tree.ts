import { fail, ok, type Result } from '../../../base/result.ts';
import type { Permissions } from '../core/permissions.ts';
import type { ClientFailure } from './failure.ts';
import type { NodeOperations } from './nodes.ts';

/** A node of a tree that was read. */
export interface TreeNode {
  readonly path: string;
  /** Null: it may not be read. */
  readonly value: Uint8Array | null;
  readonly permissions: Permissions | null;
}

/** How much of a tree is wanted. */
export interface TreeOptions {
  /** Levels below the path; undefined is all. */
  readonly depth?: number | undefined;
  /** E2BIG for a tree of more nodes than this. */
  readonly nodesMax?: number;
}

/** Nodes that are asked about at once, with three requests each. */
const batch = 16;

interface Found {
  readonly node: TreeNode;
  readonly children: readonly string[];
}

/**
 * A node and all below it, parents before their children, children in the server's order; read a level
 * at a time. In a transaction that is the tree of one moment; outside of one, what goes meanwhile is left
 * out. What may not be read is there, without what may not be known.
 */
export async function readTree(
  nodes: NodeOperations,
  path: string,
  { depth = Number.POSITIVE_INFINITY, nodesMax = Number.POSITIVE_INFINITY }: TreeOptions = {},
): Promise<Result<readonly TreeNode[], ClientFailure>> {
  const top = await nodes.list(path);
  if (!top.ok) return top;
  const found = new Map<string, Found>();
  let level = [path];
  for (let deep = 0; level.length > 0 && deep <= depth; deep += 1) {
    if (found.size + level.length > nodesMax)
      return fail({ code: 'E2BIG', message: `${path} has more than ${nodesMax} nodes` });
    const next: string[] = [];
    for (let at = 0; at < level.length; at += batch) {
      const paths = level.slice(at, at + batch);
      for (const each of await Promise.all(paths.map((one) => look(nodes, one)))) {
        if (!each.ok) return each;
        if (each.value === null) continue;
        found.set(each.value.node.path, each.value);
        for (const name of each.value.children) next.push(below(each.value.node.path, name));
      }
    }
    level = next;
  }
  return ok(inOrder(path, found));
}

/** The path of a child. */
function below(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** Null: it has gone. */
async function look(
  nodes: NodeOperations,
  path: string,
): Promise<Result<Found | null, ClientFailure>> {
  const [value, permissions, children] = await Promise.all([
    nodes.read(path),
    nodes.getPermissions(path),
    nodes.list(path),
  ]);
  for (const answer of [value, permissions, children]) {
    if (answer.ok || answer.error.code === 'EACCES') continue;
    return answer.error.code === 'ENOENT' ? ok(null) : fail(answer.error);
  }
  return ok({
    node: {
      path,
      value: value.ok ? value.value : null,
      permissions: permissions.ok ? permissions.value : null,
    },
    children: children.ok ? children.value : [],
  });
}

function inOrder(path: string, found: ReadonlyMap<string, Found>): readonly TreeNode[] {
  const ordered: TreeNode[] = [];
  const rest = [path];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const each = found.get(next);
    if (each === undefined) continue;
    ordered.push(each.node);
    for (const name of each.children.toReversed()) rest.push(below(next, name));
  }
  return ordered;
}
