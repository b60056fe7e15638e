import type { DomainId } from './permissions.ts';
import { type Node, severalOwners } from './tree.ts';

/** The balance of one owner: see `StoreDump`. */
export interface BalanceDump {
  readonly owner: DomainId;
  readonly nodes: number;
  readonly bytes: number;
}

/** What changes add to, and take from, the nodes and bytes of each owner. */
export class Ledger {
  #owners: DomainId[] = [];
  #nodes: number[] = [];
  #bytes: number[] = [];
  /** Where the owner stands that was booked last. */
  #last = 0;

  /** Books nodes and bytes for an owner; negative where they go. */
  add(owner: DomainId, nodes: number, bytes: number): void {
    // Nodes of one owner mostly come one after another.
    let index = this.#owners[this.#last] === owner ? this.#last : this.#owners.indexOf(owner);
    if (index < 0) {
      index = this.#owners.length;
      this.#owners.push(owner);
      this.#nodes.push(0);
      this.#bytes.push(0);
    }
    this.#last = index;
    this.#nodes[index] = (this.#nodes[index] ?? 0) + nodes;
    this.#bytes[index] = (this.#bytes[index] ?? 0) + bytes;
  }

  /**
   * Books that a tree goes. A tree of a single owner costs the same however large it is; otherwise
   * only those parts are visited that have several.
   */
  remove(tree: Node): void {
    if (tree.owner !== severalOwners) {
      this.add(tree.owner as DomainId, -tree.nodes, -tree.bytes);
      return;
    }
    const rest = [tree];
    for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
      let bytes = node.bytes;
      node.children.forEach((child) => {
        bytes -= child.bytes;
        if (child.owner === severalOwners) rest.push(child);
        else this.add(child.owner as DomainId, -child.nodes, -child.bytes);
      });
      this.add(node.permissions[0].domain, -1, -bytes);
    }
  }

  nodesOf(owner: DomainId): number {
    return this.#nodes[this.#owners.indexOf(owner)] ?? 0;
  }

  bytesOf(owner: DomainId): number {
    return this.#bytes[this.#owners.indexOf(owner)] ?? 0;
  }

  /** Calls `settle` for each owner whose balance changed. */
  forEach(settle: (owner: DomainId, nodes: number, bytes: number) => void): void {
    for (const [index, owner] of this.#owners.entries())
      settle(owner, this.#nodes[index] ?? 0, this.#bytes[index] ?? 0);
  }

  /** Everything about it: see `StoreDump`. */
  dump(): readonly BalanceDump[] {
    return this.#owners.map((owner, index) => ({
      owner,
      nodes: this.#nodes[index] ?? 0,
      bytes: this.#bytes[index] ?? 0,
    }));
  }

  clear(): void {
    if (this.#owners.length === 0) return;
    this.#owners = [];
    this.#nodes = [];
    this.#bytes = [];
  }
}
