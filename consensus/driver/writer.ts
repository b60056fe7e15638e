import type { Persist } from '../core/output.ts';
import type { Clock, LogStore, StoreError } from '../ports.ts';
import type { NodeLimits } from './limits.ts';

/** How the disk is: `full` may pass, `failed` needs a restart. */
export type DiskState = 'good' | 'full' | 'failed';

/** What the writer tells its owner. */
export interface WriterListener {
  /** Everything up to this sequence is durable. */
  durable(sequence: number): void;
  disk(state: DiskState, error: StoreError | null): void;
}

/**
 * Group commit: while one write is under way what comes meanwhile gathers, and goes out together
 * in the next. A full disk is tried again, until there is room; a failed one is never trusted.
 */
export class Writer {
  readonly #store: LogStore;
  readonly #clock: Clock;
  readonly #limits: NodeLimits;
  readonly #listener: WriterListener;
  #queue: Persist[] = [];
  #busy: Promise<void> | null = null;
  #state: DiskState = 'good';
  #stopped = false;
  #stopRetrying: (() => void) | null = null;

  constructor(store: LogStore, clock: Clock, limits: NodeLimits, listener: WriterListener) {
    this.#store = store;
    this.#clock = clock;
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Queues what must become durable. */
  write(persist: Persist): void {
    this.#queue.push(persist);
    this.#begin();
  }

  /** Waits for the write under way; what is queued is dropped, and was never acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopRetrying?.();
    await this.#busy;
  }

  #begin(): void {
    const waiting = this.#queue.length === 0 || this.#busy !== null || this.#stopRetrying !== null;
    if (waiting || this.#stopped || this.#state === 'failed') return;
    this.#busy = this.#flush(this.#queue);
    this.#queue = [];
  }

  async #flush(list: readonly Persist[]): Promise<void> {
    const result = await this.#store.write(list);
    this.#busy = null;
    if (result.ok) {
      this.#change('good', null);
      const last = list.at(-1);
      if (last !== undefined) this.#listener.durable(last.sequence);
    } else if (result.error.code === 'full') {
      this.#queue = [...list, ...this.#queue];
      this.#change('full', result.error);
      this.#retry();
    } else this.#change('failed', result.error);
    this.#begin();
  }

  #retry(): void {
    const stop = this.#clock.every(this.#limits.diskRetry, () => {
      stop();
      this.#stopRetrying = null;
      this.#begin();
    });
    this.#stopRetrying = stop;
  }

  #change(state: DiskState, error: StoreError | null): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#listener.disk(state, error);
  }
}
