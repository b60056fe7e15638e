import type { Random } from '../../base/random.ts';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { backOffDelay } from '../back-off.ts';
import type { Clock } from '../clock.ts';
import type { Stored } from '../collection.ts';
import { commit } from '../commit.ts';
import type { Transaction } from '../database.ts';
import type { Failure } from '../failure.ts';
import type { Pool } from '../pool.ts';
import type { OperationRecord } from '../records/operation.ts';

/** Between attempts of a write to the database: an election takes about a second. */
const writeRetry = { first: milliseconds(50), most: milliseconds(2_000) };

/** What a record becomes, and what else changes in the same transaction. */
export interface Entry {
  readonly after: OperationRecord;
  readonly extra: readonly Transaction[];
}

/** Says what a record becomes; null: there is nothing to write. */
export type Change = (before: OperationRecord) => Promise<Result<Entry | null, Failure>>;

/** What a journal needs of its runner. */
export interface JournalSettings {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the service closes: nothing is written from then on. */
  readonly closing: AbortSignal;
  /** Told of what is tried again. */
  onRetry(operation: OperationRecord, failure: Failure): void;
}

/** The record of one operation, written forward by compare-and-swap, one write after the other. */
export class Journal {
  #settings: JournalSettings;
  #current: Stored<OperationRecord>;
  #gone = false;
  #writing: Promise<void> = Promise.resolve();
  #onAdopt: (before: OperationRecord, after: OperationRecord) => void;

  /** `onAdopt` is told of every new state of the record, whoever wrote it. */
  constructor(
    settings: JournalSettings,
    stored: Stored<OperationRecord>,
    onAdopt: (before: OperationRecord, after: OperationRecord) => void,
  ) {
    this.#settings = settings;
    this.#current = stored;
    this.#onAdopt = onAdopt;
  }

  /** As it was last seen. */
  get record(): OperationRecord {
    return this.#current.record;
  }

  /** The service closes, or somebody deleted the record: nothing is written any more. */
  get isClosed(): boolean {
    return this.#gone || this.#settings.closing.aborted;
  }

  /** Takes in a state that was read elsewhere, unless it is an older one. */
  observe(stored: Stored<OperationRecord>): void {
    if (stored.modRevision > this.#current.modRevision) this.#adopt(stored);
  }

  /** Resolves when the change is written, or was found to have nothing to write. */
  write(change: Change): Promise<void> {
    const written = this.#writing.then(() => this.#swap(change));
    this.#writing = written;
    return written;
  }

  async #swap(change: Change): Promise<void> {
    const { clock, random, closing } = this.#settings;
    for (let attempt = 1; !this.isClosed; attempt += 1) {
      const failure = await this.#attempt(change);
      if (failure === null || this.isClosed) return;
      const isConflict = failure.reason === 'CONFLICT';
      if (!isConflict) this.#settings.onRetry(this.record, failure);
      if (!isConflict || attempt > 1)
        await clock.sleep(backOffDelay(writeRetry, attempt, random), closing);
      await this.#reread();
    }
  }

  /** Null: it is written, or there was nothing to write. */
  async #attempt(change: Change): Promise<Failure | null> {
    const { pool } = this.#settings;
    const current = this.#current;
    const changed = await change(current.record);
    if (!changed.ok) return changed.error;
    if (changed.value === null) return null;
    const { after, extra } = changed.value;
    const committed = await commit(
      pool.database,
      pool.operationsOf(after.service).replacing(current, after),
      ...extra,
    );
    if (!committed.ok) return committed.error;
    this.#adopt({ key: current.key, record: after, modRevision: committed.value });
    return null;
  }

  /** After a conflict, or where an answer was lost: the database knows. */
  async #reread(): Promise<void> {
    const { service, id } = this.record;
    const read = await this.#settings.pool.operationsOf(service).get(id);
    if (!read.ok) return;
    if (read.value === null) this.#gone = true;
    else this.observe(read.value);
  }

  #adopt(stored: Stored<OperationRecord>): void {
    const before = this.#current.record;
    this.#current = stored;
    this.#onAdopt(before, stored.record);
  }
}
