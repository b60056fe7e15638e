import { fail, ok, type Result } from '../../../base/result.ts';
import { applyChange, type Change, type Changed, type Maker } from './change.ts';
import type { XenstoreError } from './error.ts';
import { type BalanceDump, Ledger } from './ledger.ts';
import { formatPath, type Path } from './path.ts';
import type { DomainId } from './permissions.ts';
import { type Generation, lineage, type Node, nodeAt, type Stamp } from './tree.ts';

/**
 * A transaction: it sees the tree as it was at its start, with its own changes. At its end only what
 * it *read* counts (docs/misc/xenstore.txt): if that is still as it was, its changes are applied to
 * the tree as it is by then. So transactions that do not concern each other never disturb each other.
 */

/** What can be read of a node; that it is there, or is not, belongs to each. */
export type Aspect = 'value' | 'permissions' | 'children';

/** What was read of a node at the start of the transaction. */
interface ReadRecord {
  readonly path: Path;
  readonly aspect: Aspect;
  /** Null: there was no such node. */
  readonly generation: Generation | null;
}

/** What a record of a read or of a change costs beyond its path and value, in bytes. */
const recordBytes = 64;

/** An open transaction: see `StoreDump`. */
export interface TransactionDump {
  readonly id: number;
  readonly startedAt: Generation;
  readonly base: Node;
  readonly top: Node;
  readonly ledger: readonly BalanceDump[];
  readonly reads: readonly ReadRecord[];
  /** An aspect, a colon and a path each. */
  readonly set: readonly string[];
  readonly changes: readonly { readonly change: Change; readonly effective: boolean }[];
  readonly bytes: number;
  readonly doom: XenstoreError | null;
}

/** What a committed transaction did to the tree of now. */
export interface Committed {
  readonly top: Node;
  readonly changes: readonly Change[];
}

/** Why a transaction was not committed. */
export interface Conflict {
  readonly error: XenstoreError;
  /** Who changed what it had read; null where nobody else is to blame. */
  readonly culprit: DomainId | null;
}

/** See the head of this file. */
export class Transaction {
  readonly #startedAt: Generation;
  readonly #base: Node;
  readonly #ledger = new Ledger();
  readonly #reads = new Map<string, ReadRecord>();
  /** What the transaction has set itself, by aspect and path. */
  readonly #set = new Set<string>();
  readonly #changes: { readonly change: Change; readonly effective: boolean }[] = [];
  #top: Node;
  #bytes = 0;
  #doom: XenstoreError | null = null;

  /** `generation` is the newest one that any node of `top` has. */
  constructor(top: Node, generation: Generation) {
    this.#top = top;
    this.#base = top;
    this.#startedAt = generation;
  }

  /** What another store has dumped. */
  static from(dump: TransactionDump): Transaction {
    const transaction = new Transaction(dump.base, dump.startedAt);
    for (const { owner, nodes, bytes } of dump.ledger) transaction.#ledger.add(owner, nodes, bytes);
    for (const read of dump.reads)
      transaction.#reads.set(keyOf(read.aspect, formatPath(read.path)), read);
    for (const each of dump.set) transaction.#set.add(each);
    transaction.#changes.push(...dump.changes);
    transaction.#top = dump.top;
    transaction.#bytes = dump.bytes;
    transaction.#doom = dump.doom;
    return transaction;
  }

  /** Everything about it: see `StoreDump`. */
  dump(): Omit<TransactionDump, 'id'> {
    return {
      startedAt: this.#startedAt,
      base: this.#base,
      top: this.#top,
      ledger: this.#ledger.dump(),
      reads: [...this.#reads.values()],
      set: [...this.#set],
      changes: [...this.#changes],
      bytes: this.#bytes,
      doom: this.#doom,
    };
  }

  /** The tree that the transaction sees. */
  get top(): Node {
    return this.#top;
  }

  /** Bytes that it takes beyond the tree, for the quota `memory`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Nodes that it has read or changed, for the quota `transaction-nodes`. */
  get nodes(): number {
    return this.#reads.size + this.#changes.length;
  }

  /** From now on it cannot be committed any more. */
  doom(error: XenstoreError): void {
    this.#doom ??= error;
  }

  /** Whether it gives permissions to a domain, or a node. */
  names(domain: DomainId): boolean {
    return this.#changes.some(
      ({ change }) =>
        change.kind === 'permissions' && change.permissions.some((each) => each.domain === domain),
    );
  }

  /** Reads one aspect of a node, and remembers that it was read. */
  read(path: Path, aspect: Aspect): Node | undefined {
    const node = nodeAt(this.#top, path);
    const key = keyOf(aspect, formatPath(path));
    if (this.#reads.has(key)) return node;
    const base = nodeAt(this.#base, path);
    // What it has set, made or removed itself is its own, whatever others do meanwhile.
    const own =
      base === undefined
        ? node !== undefined
        : node === undefined ||
          (this.#set.has(key) && generationOf(node, aspect) > this.#startedAt);
    if (!own) {
      const generation = base === undefined ? null : generationOf(base, aspect);
      this.#reads.set(key, { path, aspect, generation });
      this.#bytes += recordBytes + key.length;
    }
    return node;
  }

  /** Applies a change inside the transaction. What exceeds a quota dooms it (XSA-414, XSA-415). */
  change(change: Change, maker: Maker, stamp: Stamp): Result<Changed, XenstoreError> {
    const outcome = applyChange(this.#top, change, maker, stamp, this.#ledger);
    if (!outcome.ok) {
      if (outcome.error === 'ENOSPC' || outcome.error === 'ENOMEM') this.doom('ENOMEM');
      return outcome;
    }
    const text = formatPath(change.path);
    this.#top = outcome.value.top;
    this.#changes.push({ change, effective: outcome.value.effective });
    this.#bytes += recordBytes + text.length;
    if (change.kind === 'write') {
      this.#bytes += change.value.length;
      this.#set.add(keyOf('value', text));
    } else if (change.kind === 'permissions') this.#set.add(keyOf('permissions', text));
    return outcome;
  }

  /**
   * Applies everything to `current`, the tree of now, and books it: EAGAIN where something that was
   * read is not as it was, or where a change is no longer possible; ENOSPC or ENOMEM where the maker
   * has by now more than it may. The ledger is filled with the balance.
   */
  commit(current: Node, maker: Maker, stamp: Stamp, ledger: Ledger): Result<Committed, Conflict> {
    if (this.#doom !== null) return fail({ error: this.#doom, culprit: null });
    if (current === this.#base) {
      this.#ledger.forEach((owner, nodes, bytes) => {
        ledger.add(owner, nodes, bytes);
      });
      const effective = this.#changes.filter((each) => each.effective);
      return ok({ top: this.#top, changes: effective.map((each) => each.change) });
    }
    for (const { path, aspect, generation } of this.#reads.values()) {
      const line = lineage(current, path);
      const node = line[path.length];
      const now = node === undefined ? null : generationOf(node, aspect);
      if (now !== generation)
        return fail({ error: 'EAGAIN', culprit: line[line.length - 1]?.changedBy ?? null });
    }
    let top = current;
    const changes: Change[] = [];
    for (const { change } of this.#changes) {
      const outcome = applyChange(top, change, maker, stamp, ledger);
      if (!outcome.ok) {
        const { error } = outcome;
        const full = error === 'ENOSPC' || error === 'ENOMEM';
        return fail({ error: full ? error : 'EAGAIN', culprit: null });
      }
      top = outcome.value.top;
      if (outcome.value.effective) changes.push(change);
    }
    return ok({ top, changes });
  }
}

function keyOf(aspect: Aspect, path: string): string {
  return `${aspect}:${path}`;
}

function generationOf(node: Node, aspect: Aspect): Generation {
  return aspect === 'children' ? node.childrenGeneration : node.contentGeneration;
}
