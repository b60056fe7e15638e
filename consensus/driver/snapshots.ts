import { present } from '../../base/assert.ts';
import { membersOf } from '../core/configuration.ts';
import { type Entry, entrySize, type SnapshotMeta } from '../core/entry.ts';
import type { Input } from '../core/input.ts';
import type { Message } from '../core/message.ts';
import type { ReadChunk, StoreChunk } from '../core/output.ts';
import type { Raft } from '../core/raft.ts';
import type { LogStore } from '../ports.ts';
import type { StateMachine } from '../replica.ts';
import type { NodeLimits } from './limits.ts';

/** What the effects on snapshots lead to. */
export interface SnapshotListener {
  input(input: Input): void;
  send(message: Message): void;
}

/** What an entry costs at a start beside its bytes: being read and applied takes as long. */
const entryCost = 400;

/** Makes snapshots of the state machine when enough has happened, and carries their pieces. */
export class SnapshotKeeper<Reply> {
  readonly #store: LogStore;
  readonly #machine: StateMachine<Reply>;
  readonly #limits: NodeLimits;
  readonly #listener: SnapshotListener;
  #entries = 0;
  #bytes = 0;
  /** Size of the newest snapshot that was made or read here. */
  #size = 0;
  #saving = false;

  constructor(
    store: LogStore,
    machine: StateMachine<Reply>,
    limits: NodeLimits,
    listener: SnapshotListener,
  ) {
    this.#store = store;
    this.#machine = machine;
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Entries were applied; a snapshot is made if that makes it worth while. */
  applied(raft: Raft, entries: readonly Entry[]): void {
    this.#entries += entries.length;
    for (const entry of entries) this.#bytes += entrySize(entry);
    if (!this.#isDue() || this.#saving) return;
    this.#entries = 0;
    this.#bytes = 0;
    this.#saving = true;
    void this.#save(describe(raft));
  }

  /**
   * A large state is not written again and again for a few entries: what they cost at a start must
   * come to half of what the snapshot costs.
   */
  #isDue(): boolean {
    const { snapshotEntries, snapshotBytes } = this.#limits;
    if (this.#entries < snapshotEntries && this.#bytes < snapshotBytes) return false;
    const cost = this.#bytes + entryCost * this.#entries;
    return cost >= (this.#size - snapshotBytes) / 2;
  }

  async #save(snapshot: SnapshotMeta): Promise<void> {
    const chunks = new CountedChunks(this.#machine.snapshot());
    const saved = await this.#store.saveSnapshot(snapshot, chunks);
    chunks.end();
    this.#size = chunks.size;
    this.#saving = false;
    // Without room the log goes on growing in its place, and the next snapshot is tried in time.
    if (saved.ok) this.#listener.input({ kind: 'snapshot-made', snapshot });
  }

  /** Sends a piece to a member that is behind the log. */
  async send(raft: Raft, chunk: ReadChunk): Promise<void> {
    const { to, term, snapshot, offset } = chunk;
    const piece = await this.#store.readPiece(snapshot.index, offset);
    if (piece.ok)
      this.#listener.send({
        from: raft.id,
        to,
        term,
        kind: 'snapshot-chunk',
        snapshot,
        offset,
        ...piece.value,
      });
    else this.#listener.input({ kind: 'chunk-missing', to, index: snapshot.index });
  }

  /** Stores a piece that has come; a piece that cannot be stored is asked for again. */
  async store(piece: StoreChunk): Promise<void> {
    const { snapshot, last } = piece;
    const stored = await this.#store.storePiece(piece);
    if (stored.ok)
      this.#listener.input({ kind: 'chunk-stored', snapshot, received: stored.value, last });
    else {
      // A whole that turned out to be damaged is fetched again from its beginning.
      const received = stored.error.code === 'damaged' ? 0 : piece.offset;
      this.#listener.input({ kind: 'chunk-stored', snapshot, received, last: false });
    }
  }

  /** Puts the state machine into the state of this snapshot, the newest. The failure is a sentence. */
  restore({ index, configuration }: SnapshotMeta): string | null {
    this.#entries = 0;
    this.#bytes = 0;
    const chunks = this.#store.loadSnapshot(index);
    if (!chunks.ok) return chunks.error.detail;
    const counted = new CountedChunks(chunks.value);
    const restored = this.#machine.restore(counted);
    this.#size = counted.size;
    if (!restored.ok) return restored.error;
    this.#machine.configured?.(membersOf(configuration));
    return null;
  }
}

/** Chunks that are read once, and can be left at any time. */
class CountedChunks implements Iterable<Uint8Array> {
  readonly #iterator: Iterator<Uint8Array>;
  /** Bytes that were read. */
  size = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#iterator = chunks[Symbol.iterator]();
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let next = this.#iterator.next(); next.done !== true; next = this.#iterator.next()) {
      this.size += next.value.byteLength;
      yield next.value;
    }
  }

  /** What is not read yet will not be: what the chunks hold on to is let go. */
  end(): void {
    this.#iterator.return?.();
  }
}

function describe({ log, delivered }: Raft): SnapshotMeta {
  const term = present(log.termAt(delivered), 'what was applied last is in the log');
  return { index: delivered, term, configuration: log.configurationAt(delivered) };
}
