import type { Random } from '../../../base/random.ts';
import { fail, type Result } from '../../../base/result.ts';
import {
  applyPersist,
  type MemoryDisk,
  MemoryLogStore,
} from '../../../consensus/adapters/memory/log-store.ts';
import type { SnapshotMeta } from '../../../consensus/core/entry.ts';
import type { LogIndex } from '../../../consensus/core/ids.ts';
import type { Persist, StoreChunk } from '../../../consensus/core/output.ts';
import type { Recovered } from '../../../consensus/core/raft.ts';
import type { LogStore, SnapshotPiece, StoreError } from '../../../consensus/ports.ts';
import type { World } from './world.ts';

/** How a member's disk behaves. The nemesis changes it while it is used. */
export interface DiskHealth {
  /** Longest time of a write in milliseconds. */
  latencyMax: number;
  full: boolean;
}

const noRoom: StoreError = { code: 'full', detail: 'the simulated disk is full' };

/**
 * A store on a simulated disk: a write takes time, and what is not yet written when the member
 * crashes is lost, from some point on that the seed decides.
 */
export class SimulatedStore implements LogStore {
  readonly recovered: Recovered;
  readonly incarnation: number;
  readonly #world: World;
  readonly #random: Random;
  readonly #disk: MemoryDisk;
  readonly #health: DiskHealth;
  readonly #inner: MemoryLogStore;
  /** A bug that can be seeded: to answer before the write is done. */
  readonly #answersEarly: boolean;
  #unwritten: Persist[] = [];
  #crashed = false;

  constructor(
    world: World,
    random: Random,
    disk: MemoryDisk,
    health: DiskHealth,
    answersEarly: boolean,
  ) {
    this.#world = world;
    this.#random = random;
    this.#disk = disk;
    this.#health = health;
    this.#answersEarly = answersEarly;
    this.#inner = new MemoryLogStore(disk);
    this.recovered = this.#inner.recovered;
    this.incarnation = this.#inner.incarnation;
  }

  /** The member is gone; the write under way reaches the disk in part. */
  crash(): void {
    this.#crashed = true;
    const kept = this.#random.below(this.#unwritten.length + 1);
    for (const persist of this.#unwritten.slice(0, kept)) applyPersist(this.#disk, persist);
    this.#unwritten = [];
  }

  async write(list: readonly Persist[]): Promise<Result<void, StoreError>> {
    if (this.#health.full) return fail(noRoom);
    this.#unwritten.push(...list);
    const written = this.#writeLater(list.length);
    if (!this.#answersEarly) await written;
    return { ok: true, value: undefined };
  }

  async #writeLater(count: number): Promise<void> {
    await this.#wait();
    try {
      for (const persist of this.#unwritten.splice(0, count)) applyPersist(this.#disk, persist);
    } catch (error) {
      this.#world.fail(error);
    }
  }

  compact(index: LogIndex): void {
    this.#inner.compact(index);
  }

  async saveSnapshot(
    snapshot: SnapshotMeta,
    chunks: Iterable<Uint8Array>,
  ): Promise<Result<void, StoreError>> {
    const taken: Uint8Array[] = [];
    for (const chunk of chunks) {
      taken.push(chunk);
      if (this.#health.full) return fail(noRoom);
      // The member goes on meanwhile.
      await this.#wait();
    }
    return this.#inner.saveSnapshot(snapshot, taken);
  }

  loadSnapshot(index: LogIndex): Result<Iterable<Uint8Array>, StoreError> {
    return this.#inner.loadSnapshot(index);
  }

  async readPiece(index: LogIndex, offset: number): Promise<Result<SnapshotPiece, StoreError>> {
    await this.#wait();
    return this.#inner.readPiece(index, offset);
  }

  async storePiece(piece: StoreChunk): Promise<Result<number, StoreError>> {
    if (this.#health.full) return fail(noRoom);
    await this.#wait();
    return this.#inner.storePiece(piece);
  }

  async close(): Promise<void> {}

  /** Time passes. After a crash nothing comes back. */
  async #wait(): Promise<void> {
    await this.#world.pause(this.#random.below(this.#health.latencyMax * 10 + 1) / 10);
    if (this.#crashed) await new Promise<never>(() => {});
  }
}
