import type { Result } from '../../../base/result.ts';
import type { ClientFailure } from './failure.ts';

/** What a watch tells. */
export type WatchEvent =
  /** The node, or one below the watched path, may have changed. There is one at once, at the start. */
  | { readonly kind: 'changed'; readonly path: string }
  /** Events may have been lost: whatever is known of the watched path has to be read again. */
  | { readonly kind: 'missed' }
  /** There will be no more: the connection is over, or the watch could not be set again. The last. */
  | { readonly kind: 'ended'; readonly failure: ClientFailure };

/**
 * The events of one path, to be read with `for await`. An event for a path that waits unread already
 * is not put in a second time: it would tell nothing new. Where more paths wait than the bound, they
 * are all dropped for one `missed`, so that a reader that is slow costs no more and is not misled.
 */
export class Watch implements AsyncIterableIterator<WatchEvent, undefined> {
  /** The path as it was given. */
  readonly path: string;
  readonly #backlogMax: number;
  readonly #unset: () => Promise<Result<void, ClientFailure>>;
  readonly #paths = new Set<string>();
  readonly #readers: ((result: IteratorResult<WatchEvent, undefined>) => void)[] = [];
  #missed = false;
  #failure: ClientFailure | null = null;
  #done = false;

  /** Made by the client: `unset` ends it at the server. */
  constructor(path: string, backlogMax: number, unset: () => Promise<Result<void, ClientFailure>>) {
    this.path = path;
    this.#backlogMax = backlogMax;
    this.#unset = unset;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event; done after `ended`, or after the watch was given up. */
  next(): Promise<IteratorResult<WatchEvent, undefined>> {
    const event = this.#take();
    if (event !== null) return Promise.resolve({ done: false, value: event });
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  /** Leaving a `for await` gives the watch up. */
  async return(): Promise<IteratorResult<WatchEvent, undefined>> {
    await this.unsubscribe();
    return { done: true, value: undefined };
  }

  /** Gives the watch up: nothing that waits is told any more. */
  unsubscribe(): Promise<Result<void, ClientFailure>> {
    if (this.#done) return Promise.resolve({ ok: true, value: undefined });
    this.#paths.clear();
    this.#missed = false;
    this.#done = true;
    this.#wake();
    return this.#unset();
  }

  /** The server has sent an event. */
  changed(path: string): void {
    if (this.#done) return;
    this.#paths.add(path);
    if (this.#paths.size > this.#backlogMax) this.missed();
    this.#wake();
  }

  /** Events may have been lost. */
  missed(): void {
    if (this.#done) return;
    this.#paths.clear();
    this.#missed = true;
    this.#wake();
  }

  /** There are no more events. */
  end(failure: ClientFailure): void {
    if (this.#done) return;
    this.#failure = failure;
    this.#done = true;
    this.#wake();
  }

  #take(): WatchEvent | null {
    if (this.#missed) {
      this.#missed = false;
      return { kind: 'missed' };
    }
    for (const path of this.#paths) {
      this.#paths.delete(path);
      return { kind: 'changed', path };
    }
    const failure = this.#failure;
    this.#failure = null;
    return failure === null ? null : { kind: 'ended', failure };
  }

  #wake(): void {
    while (this.#readers.length > 0) {
      const event = this.#take();
      if (event === null && !this.#done) return;
      const reader = this.#readers.shift();
      reader?.(event === null ? { done: true, value: undefined } : { done: false, value: event });
    }
  }
}
