import { availableParallelism } from 'node:os';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';

/** How long is looked for the next request: twice what a client takes to ask again. */
const windowDefault: Milliseconds = milliseconds(0.06);

/**
 * Whether to stay awake for a moment after an answer to a client that asks one thing after another. To
 * be woken costs a process more than all that it does for a request, and such a client's next request
 * comes sooner than that. As the kernel's halt polling does, it looks only while that has paid: a
 * client whose last request came later than the window costs nothing. With one processor it is the client
 * that would wait, so there it does not look at all.
 */
export class BusyPoll {
  readonly #window: Milliseconds;
  #answered = Number.NEGATIVE_INFINITY;
  #pays = false;

  constructor(window: Milliseconds = availableParallelism() > 1 ? windowDefault : milliseconds(0)) {
    this.#window = window;
  }

  /** Requests that came at `asked` are answered by now. */
  answered(asked: number, now: number): void {
    this.#pays = asked - this.#answered < this.#window;
    this.#answered = now;
  }

  /** Whether to look once more before sleeping. */
  looks(now: number): boolean {
    return this.#pays && now - this.#answered < this.#window;
  }
}
