import { fail, ok, type Result } from '../../../base/result.ts';
import { applyChange, type Change, type Changed } from './change.ts';
import type { XenstoreError } from './error.ts';
import { formatPath, type Path } from './path.ts';
import type { DomainId } from './permissions.ts';
import { type Generation, type Node, nodeAt } from './tree.ts';

/**
 * A transaction: it sees the tree as it was at its start, with its own changes. At its end only what
 * it *read* counts (docs/misc/xenstore.txt): if that is still as it was, its changes are applied to
 * the tree as it is by then. So transactions that do not concern each other never disturb each other.
 */

/** What was read of a node: whether it was there, its content, or its list of children. */
interface ReadRecord {
  readonly path: Path;
  readonly aspect: 'content' | 'children';
  /** Null: there was no such node. */
  readonly generation: Generation | null;
}

/** Changes that one transaction may make before it is refused with ENOSPC (XSA-326). */
export const transactionChangesMax = 1024;

/** See the head of this file. */
export class Transaction {
  readonly #startedAt: Generation;
  readonly #base: Node;
  readonly #reads = new Map<string, ReadRecord>();
  readonly #changes: { readonly change: Change; readonly effective: boolean }[] = [];
  #root: Node;

  /** `generation` is the newest one that any node of `root` has. */
  constructor(root: Node, generation: Generation) {
    this.#root = root;
    this.#base = root;
    this.#startedAt = generation;
  }

  /** The tree that the transaction sees. */
  get root(): Node {
    return this.#root;
  }

  /** Reads one aspect of a node, and remembers that it was read. */
  read(path: Path, aspect: ReadRecord['aspect']): Node | undefined {
    const node = nodeAt(this.#root, path);
    const base = nodeAt(this.#base, path);
    const own = node !== undefined && generationOf(node, aspect) > this.#startedAt;
    if (!own || base !== undefined)
      this.#reads.set(`${aspect}:${formatPath(path)}`, {
        path,
        aspect,
        generation: base === undefined ? null : generationOf(base, aspect),
      });
    return node;
  }

  /** Applies a change inside the transaction. */
  change(change: Change, domain: DomainId, generation: Generation): Result<Changed, XenstoreError> {
    if (this.#changes.length >= transactionChangesMax) return fail('ENOSPC');
    const outcome = applyChange(this.#root, change, domain, generation);
    if (outcome.ok) {
      this.#root = outcome.value.root;
      this.#changes.push({ change, effective: outcome.value.effective });
    }
    return outcome;
  }

  /**
   * Applies everything to `current`, the tree of now: EAGAIN where something that was read is not as
   * it was, or where a change is no longer possible.
   */
  commit(
    current: Node,
    domain: DomainId,
    generation: Generation,
  ): Result<{ readonly root: Node; readonly changes: readonly Change[] }, XenstoreError> {
    for (const read of this.#reads.values()) {
      const node = nodeAt(current, read.path);
      const now = node === undefined ? null : generationOf(node, read.aspect);
      if (now !== read.generation) return fail('EAGAIN');
    }
    if (current === this.#base) {
      const effective = this.#changes.filter((each) => each.effective);
      return ok({ root: this.#root, changes: effective.map((each) => each.change) });
    }
    let root = current;
    const changes: Change[] = [];
    for (const { change } of this.#changes) {
      const outcome = applyChange(root, change, domain, generation);
      if (!outcome.ok) return fail('EAGAIN');
      root = outcome.value.root;
      if (outcome.value.effective) changes.push(change);
    }
    return ok({ root, changes });
  }
}

function generationOf(node: Node, aspect: ReadRecord['aspect']): Generation {
  return aspect === 'content' ? node.contentGeneration : node.childrenGeneration;
}
