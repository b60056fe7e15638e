import type { Clock } from '../ports.ts';

/** What goes into a step: what has arrived and reads, or also what was asked for here, and time. */
export type Extent = 'arrived' | 'all';

/** When a member takes its next step: at most once for each kind of haste. */
export class Pace {
  readonly #clock: Pick<Clock, 'defer' | 'soon'>;
  readonly #step: (extent: Extent) => void;
  #scheduled = false;
  #soon = false;
  /** A proposal came while none was under way: it does not wait for others. */
  #eager = false;
  #stopped = false;

  constructor(clock: Pick<Clock, 'defer' | 'soon'>, step: (extent: Extent) => void) {
    this.#clock = clock;
    this.#step = step;
  }

  /** What others wait for is not left until the loop comes round. */
  hurry(extent: Extent): void {
    if (extent === 'all') this.#eager = true;
    if (this.#soon || this.#stopped) return;
    this.#soon = true;
    this.#clock.soon(() => {
      this.#soon = false;
      this.#take(this.#eager ? 'all' : 'arrived');
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
    if (this.#stopped) return;
    if (extent === 'all') this.#eager = false;
    this.#step(extent);
  }
}
