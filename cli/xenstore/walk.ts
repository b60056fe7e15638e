import { fail, ok, type Result } from '../../base/result.ts';
import type { Problem } from '../problem.ts';
import type { Nodes, TreeNode } from './access.ts';

/** Nodes that are asked about at once, with three requests each. */
const batch = 64;

interface Found {
  readonly node: TreeNode;
  readonly children: readonly string[];
}

/**
 * Reads what is below a path, a level at a time, for a xenstored that is asked node by node. What goes
 * meanwhile is left out; what may not be read is there without what may not be known.
 */
export async function walk(
  nodes: Nodes,
  path: string,
  levels: number | undefined,
): Promise<Result<readonly TreeNode[], Problem>> {
  const top = await nodes.list(path);
  if (!top.ok) return top;
  const found = new Map<string, Found>();
  let level = top.value.map((name) => below(path, name));
  for (let depth = 1; level.length > 0 && depth <= (levels ?? depth); depth += 1) {
    const next: string[] = [];
    for (let at = 0; at < level.length; at += batch) {
      const paths = level.slice(at, at + batch);
      for (const each of await Promise.all(paths.map((one) => look(nodes, one)))) {
        if (!each.ok) return each;
        if (each.value === null) continue;
        const { node, children } = each.value;
        found.set(node.path, each.value);
        for (const name of children) next.push(below(node.path, name));
      }
    }
    level = next;
  }
  return ok(inOrder(path, top.value, found));
}

/** The path of a child. */
function below(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** Null: it has gone. */
async function look(nodes: Nodes, path: string): Promise<Result<Found | null, Problem>> {
  const [value, permissions, children] = await Promise.all([
    nodes.read(path),
    nodes.permissions(path),
    nodes.list(path),
  ]);
  for (const answer of [value, permissions, children]) {
    if (answer.ok || answer.error.reason === 'FORBIDDEN') continue;
    return answer.error.reason === 'NOT_FOUND' ? ok(null) : fail(answer.error);
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

function inOrder(
  path: string,
  children: readonly string[],
  found: ReadonlyMap<string, Found>,
): readonly TreeNode[] {
  const ordered: TreeNode[] = [];
  const rest = children.map((name) => below(path, name)).reverse();
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const each = found.get(next);
    if (each === undefined) continue;
    ordered.push(each.node);
    for (const name of each.children.toReversed()) rest.push(below(next, name));
  }
  return ordered;
}
