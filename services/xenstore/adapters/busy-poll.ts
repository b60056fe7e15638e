import { availableParallelism } from 'node:os';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';

/** How long the loop looks for the next request before it sleeps: twice what a client takes to ask again. */
const windowDefault: Milliseconds = milliseconds(0.06);

/**
 * Keeps the loop awake for a moment after an answer to a client that asks one thing after another. To
 * be woken costs a process more than all that it does for a request, and such a client's next request
 * comes sooner than that. As the kernel's halt polling does, it looks only while that has paid: a
 * client whose last request came later than the window costs nothing. It is for a client that asks alone:
 * where several do, the loop hardly sleeps, and the fuller its turns are the less each request costs. With
 * one processor it is the client that would wait, so there it does not look at all.
 */
export class BusyPoll {
  readonly #window: Milliseconds;
  readonly #now: () => number;
  readonly #later: (look: () => void) => void;
  #answered = Number.NEGATIVE_INFINITY;
  #looking = false;

  constructor(
    window: Milliseconds = availableParallelism() > 1 ? windowDefault : milliseconds(0),
    now: () => number = () => performance.now(),
    later: (look: () => void) => void = setImmediate,
  ) {
    this.#window = window;
    this.#now = now;
    this.#later = later;
  }

  /** Requests that came at `asked` are answered. */
  answered(asked: number): void {
    const paid = asked - this.#answered < this.#window;
    this.#answered = this.#now();
    if (!paid || this.#looking) return;
    this.#looking = true;
    this.#later(this.#look);
  }

  readonly #look = (): void => {
    this.#looking = this.#now() - this.#answered < this.#window;
    if (this.#looking) this.#later(this.#look);
  };
}
