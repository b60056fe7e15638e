import type { Clock } from '../ports.ts';

/** What goes into a step: what has arrived, or also what was asked for here, and time. */
export type Extent = 'arrived' | 'all';

/** When a member takes its next step: at most once for each kind of haste. */
export class Pace {
  readonly #clock: Pick<Clock, 'defer' | 'soon'>;
  readonly #step: (extent: Extent) => void;
  #scheduled = false;
  #soon = false;
  #stopped = false;

  constructor(clock: Pick<Clock, 'defer' | 'soon'>, step: (extent: Extent) => void) {
    this.#clock = clock;
    this.#step = step;
  }

  /** A step that takes what has arrived: what others wait for is not left until the loop comes round. */
  hurry(): void {
    if (this.#soon || this.#stopped) return;
    this.#soon = true;
    this.#clock.soon(() => {
      this.#soon = false;
      this.#take('arrived');
    });
  }

  /** A step that takes all, once the loop has come round: what comes until then goes with it. */
  schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#clock.defer(() => {
      this.#scheduled = false;
      this.#take('all');
    });
  }

  /** No step is taken any more. */
  stop(): void {
    this.#stopped = true;
  }

  #take(extent: Extent): void {
    if (!this.#stopped) this.#step(extent);
  }
}
