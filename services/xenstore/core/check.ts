import type { Connection } from './connection.ts';
import type { Domains } from './domains.ts';
import { formatPath, type Path } from './path.ts';
import { anyDomain, type DomainId } from './permissions.ts';
import { mentionOf, type Node, nodeHeaderBytes, permissionBytes, severalOwners } from './tree.ts';
import type { WatchTrie } from './watches.ts';

/** What a store is made of, as far as it can be checked against itself. */
export interface Innards {
  readonly top: Node;
  readonly domains: Domains;
  readonly connections: Iterable<Connection>;
  readonly watches: WatchTrie;
}

/**
 * Counts everything anew and compares it with what the nodes sum up and the domains are charged; says
 * in a sentence each what does not agree. It visits every node: it is for CONTROL `check` and tests.
 */
export function faultsOf({ top, domains, connections, watches }: Innards): readonly string[] {
  const faults: string[] = [];
  const owned = new Map<DomainId, number>();
  const rest: { readonly path: Path; readonly node: Node }[] = [{ path: [], node: top }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path, node } = next;
    if (path.length > 0) {
      const owner = node.permissions[0].domain;
      owned.set(owner, (owned.get(owner) ?? 0) + 1);
    }
    const wrong = faultOf(node, path.at(-1) ?? '');
    if (wrong !== null) faults.push(`${formatPath(path)}: ${wrong}`);
    node.children.forEach((child, name) => {
      rest.push({ path: [...path, name], node: child });
    });
  }
  let watching = 0;
  const byDomain = new Map<DomainId, number>();
  for (const { domain, watches: own } of connections) {
    watching += own.size;
    byDomain.set(domain.id, (byDomain.get(domain.id) ?? 0) + own.size);
  }
  if (watching !== watches.size)
    faults.push(`${watching} watches of connections, ${watches.size} in the trie`);
  for (const { id, used } of domains) {
    if (used.nodes !== (owned.get(id) ?? 0))
      faults.push(`domain ${id} is charged ${used.nodes} nodes and has ${owned.get(id) ?? 0}`);
    if (used.watches !== (byDomain.get(id) ?? 0))
      faults.push(`domain ${id} is charged ${used.watches} watches`);
    if (used.memory < 0 || used.outstanding < 0) faults.push(`domain ${id} is charged less than 0`);
  }
  return faults;
}

/** What is wrong with the sums of a node, given that those of its children are right. */
function faultOf(node: Node, name: string): string | null {
  let nodes = 1;
  let bytes =
    nodeHeaderBytes + permissionBytes * node.permissions.length + name.length + node.value.length;
  let names = 0;
  let owner: number = node.permissions[0].domain;
  let mentions = 0;
  for (const { domain } of node.permissions)
    if (domain !== anyDomain) mentions |= mentionOf(domain);
  node.children.forEach((child, each) => {
    nodes += child.nodes;
    bytes += child.bytes;
    names += each.length + 1;
    if (child.owner !== owner) owner = severalOwners;
    mentions |= child.mentions;
  });
  if (node.nodes !== nodes) return `sums up ${node.nodes} nodes, has ${nodes}`;
  if (node.bytes !== bytes) return `sums up ${node.bytes} bytes, has ${bytes}`;
  if (node.children.nameBytes !== names) return 'sums up the names of its children wrongly';
  if (node.owner !== severalOwners && node.owner !== owner) return 'does not know its owners';
  if ((node.mentions & mentions) !== mentions) return 'does not know who is named in it';
  return null;
}
