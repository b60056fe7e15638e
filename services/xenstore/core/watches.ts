import type { Path } from './path.ts';

/**
 * The watches, in a trie of path components: a change costs by its depth and by the watches that it
 * fires, whatever the number of watches that exist.
 */

/** One registration, as its owner made it. */
export interface Watch {
  readonly connection: number;
  readonly token: string;
  /** The path as the client wrote it; events come back in the same form. */
  readonly text: string;
  readonly path: Path;
}

interface Level {
  readonly watches: Map<string, Watch>;
  readonly below: Map<string, Level>;
}

function newLevel(): Level {
  return { watches: new Map(), below: new Map() };
}

function keyOf(watch: Watch): string {
  return `${watch.connection} ${watch.text} ${watch.token}`;
}

/** See the head of this file. */
export class WatchTrie {
  readonly #root = newLevel();

  /** False where the same connection already watches this path with this token. */
  add(watch: Watch): boolean {
    let level = this.#root;
    for (const name of watch.path) {
      let next = level.below.get(name);
      if (next === undefined) {
        next = newLevel();
        level.below.set(name, next);
      }
      level = next;
    }
    if (level.watches.has(keyOf(watch))) return false;
    level.watches.set(keyOf(watch), watch);
    return true;
  }

  /** Forgets a watch, and the levels that only it needed. */
  remove(watch: Watch): void {
    const line = [this.#root];
    for (const name of watch.path) {
      const next = line.at(-1)?.below.get(name);
      if (next === undefined) return;
      line.push(next);
    }
    line.at(-1)?.watches.delete(keyOf(watch));
    for (let depth = line.length - 1; depth > 0; depth -= 1) {
      const level = line[depth];
      const name = watch.path[depth - 1];
      if (level === undefined || name === undefined) return;
      if (level.watches.size > 0 || level.below.size > 0) return;
      line[depth - 1]?.below.delete(name);
    }
  }

  /** The watches on the node at `path` and on those above it. */
  *above(path: Path): Generator<Watch> {
    let level: Level | undefined = this.#root;
    yield* level.watches.values();
    for (const name of path) {
      level = level.below.get(name);
      if (level === undefined) return;
      yield* level.watches.values();
    }
  }

  /** The watches on nodes below the one at `path`. */
  *below(path: Path): Generator<Watch> {
    let level: Level | undefined = this.#root;
    for (const name of path) {
      level = level.below.get(name);
      if (level === undefined) return;
    }
    const rest = [...level.below.values()];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      yield* next.watches.values();
      rest.push(...next.below.values());
    }
  }
}
