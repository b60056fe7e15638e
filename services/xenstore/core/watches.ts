import type { ConnectionId, Domain } from './domain.ts';
import type { Path } from './path.ts';
import type { Node } from './tree.ts';
import type { Unread } from './unread.ts';

/**
 * The watches, in a trie of path components: a change costs by its depth and by the watches that it
 * fires, whatever the number of watches that exist.
 */

/** Who watches: a client. */
export interface Watcher {
  readonly id: ConnectionId;
  readonly domain: Domain;
  readonly unread: Unread;
}

/** One registration, as its owner made it. */
export interface Watch {
  readonly connection: Watcher;
  readonly token: string;
  readonly path: Path;
  /** How many characters of an event's path its owner does not see: it watches a relative path. */
  readonly hidden: number;
  /** Levels below the path that it is about; null: all. */
  readonly depth: number | null;
}

interface Level {
  readonly watches: Set<Watch>;
  readonly below: Map<string, Level>;
}

function newLevel(): Level {
  return { watches: new Set(), below: new Map() };
}

/** See the head of this file. */
export class WatchTrie {
  readonly #root = newLevel();
  #size = 0;

  /** How many watches there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * All watches, in such an order that adding them to an empty trie makes one that calls in the same
   * order: those of a path one after another, and what is below a path in the order of its levels.
   */
  *[Symbol.iterator](): IterableIterator<Watch> {
    const rest = [this.#root];
    for (let level = rest.pop(); level !== undefined; level = rest.pop()) {
      yield* level.watches;
      rest.push(...[...level.below.values()].reverse());
    }
  }

  add(watch: Watch): void {
    let level = this.#root;
    for (const name of watch.path) {
      let next = level.below.get(name);
      if (next === undefined) {
        next = newLevel();
        level.below.set(name, next);
      }
      level = next;
    }
    level.watches.add(watch);
    this.#size += 1;
  }

  /** Forgets a watch, and the levels that only it needed. */
  remove(watch: Watch): void {
    const line = [this.#root];
    for (const name of watch.path) {
      const next = line[line.length - 1]?.below.get(name);
      if (next === undefined) return;
      line.push(next);
    }
    if (line[line.length - 1]?.watches.delete(watch) !== true) return;
    this.#size -= 1;
    for (let depth = line.length - 1; depth > 0; depth -= 1) {
      const level = line[depth];
      const name = watch.path[depth - 1];
      if (level === undefined || name === undefined) return;
      if (level.watches.size > 0 || level.below.size > 0) return;
      line[depth - 1]?.below.delete(name);
    }
  }

  /** Calls `visit` for the watches on the node at `path` and above it that reach so far down. */
  above(path: Path, visit: (watch: Watch) => void): void {
    let level = this.#root;
    for (let index = 0; index < path.length; index += 1) {
      const next = level.below.get(path[index] ?? '');
      if (next === undefined) return;
      level = next;
      const levels = path.length - 1 - index;
      for (const watch of level.watches)
        if (watch.depth === null || levels <= watch.depth) visit(watch);
    }
  }

  /** Calls `visit` for the watches on the nodes below `node`, which is, or was, at `path`. */
  below(path: Path, node: Node, visit: (watch: Watch, at: Node, parent: Node) => void): void {
    let level: Level | undefined = this.#root;
    for (const name of path) {
      level = level.below.get(name);
      if (level === undefined) return;
    }
    const rest: { readonly level: Level; readonly node: Node }[] = [{ level, node }];
    for (let next = rest.pop(); next !== undefined; next = rest.pop())
      for (const [name, below] of next.level.below) {
        const child = next.node.children.get(name);
        if (child === undefined) continue;
        for (const watch of below.watches) visit(watch, child, next.node);
        if (below.below.size > 0) rest.push({ level: below, node: child });
      }
  }

  /** Calls `visit` for the watches at exactly this path. */
  at(path: Path, visit: (watch: Watch) => void): void {
    let level: Level | undefined = this.#root;
    for (const name of path) {
      level = level.below.get(name);
      if (level === undefined) return;
    }
    for (const watch of level.watches) visit(watch);
  }
}
