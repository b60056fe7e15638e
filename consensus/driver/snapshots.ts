import { present } from '../../base/assert.ts';
import { type Entry, entrySize, type SnapshotMeta } from '../core/entry.ts';
import type { LogIndex } from '../core/ids.ts';
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

/** Makes snapshots of the state machine when enough has happened, and carries their pieces. */
export class SnapshotKeeper<Reply> {
  readonly #store: LogStore;
  readonly #machine: StateMachine<Reply>;
  readonly #limits: NodeLimits;
  readonly #listener: SnapshotListener;
  #entries = 0;
  #bytes = 0;
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
    const due =
      this.#entries >= this.#limits.snapshotEntries || this.#bytes >= this.#limits.snapshotBytes;
    if (!due || this.#saving) return;
    this.#entries = 0;
    this.#bytes = 0;
    this.#saving = true;
    void this.#save(describe(raft));
  }

  async #save(snapshot: SnapshotMeta): Promise<void> {
    const saved = await this.#store.saveSnapshot(snapshot, this.#machine.snapshot());
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

  /** Puts the state machine into the state of the newest snapshot. The failure is a sentence. */
  restore(index: LogIndex): string | null {
    this.#entries = 0;
    this.#bytes = 0;
    const chunks = this.#store.loadSnapshot(index);
    if (!chunks.ok) return chunks.error.detail;
    const restored = this.#machine.restore(chunks.value);
    return restored.ok ? null : restored.error;
  }
}

function describe({ log, delivered }: Raft): SnapshotMeta {
  const term = present(log.termAt(delivered), 'what was applied last is in the log');
  return { index: delivered, term, configuration: log.configurationAt(delivered) };
}
