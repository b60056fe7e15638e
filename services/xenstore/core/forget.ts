import type { Change } from './change.ts';
import type { Path } from './path.ts';
import { controlDomain, type DomainId, type Permission, type Permissions } from './permissions.ts';
import { mentionOf, type Node } from './tree.ts';

/**
 * What has to change when a domain is gone: its nodes go with all that is below them (XSA-419), and no
 * permission names it any longer, so that a domain which gets its id inherits nothing (XSA-322). Trees
 * in which it cannot be named are not visited.
 */
export function changesToForget(top: Node, gone: DomainId): readonly Change[] {
  const bit = mentionOf(gone);
  const changes: Change[] = [];
  const rest: { readonly path: Path; readonly node: Node }[] = [{ path: [], node: top }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path, node } = next;
    const owned = node.permissions[0].domain === gone;
    // The root and the special events stay, whoever was given them.
    if (owned && path.length > 1) {
      changes.push({ kind: 'remove', path });
      continue;
    }
    if (path.length > 0 && node.permissions.some(({ domain }) => domain === gone))
      changes.push({ kind: 'permissions', path, permissions: without(node.permissions, gone) });
    node.children.forEach((child, name) => {
      if ((child.mentions & bit) !== 0) rest.push({ path: [...path, name], node: child });
    });
  }
  return changes;
}

function without([owner, ...others]: Permissions, gone: DomainId): Permissions {
  const first: Permission =
    owner.domain === gone ? { domain: controlDomain, read: false, write: false } : owner;
  return [first, ...others.filter(({ domain }) => domain !== gone)];
}
