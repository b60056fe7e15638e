import type { Clock } from '../ports.ts';

/** What goes into a step: what has arrived, or also what was asked for here, and time. */
export type Extent = 'arrived' | 'all';

/** When a member takes its next step: at most once for each kind of haste. */
export class Pace {
  readonly #clock: Pick<Clock, 'defer' | 'soon'>;
  readonly #step: (extent: Extent) => void;
  #scheduled = false;
  #soon: Extent | null = null;
  #stopped = false;

  constructor(clock: Pick<Clock, 'defer' | 'soon'>, step: (extent: Extent) => void) {
    this.#clock = clock;
    this.#step = step;
  }

  /**
   * A step that is not left until the loop comes round: of what has arrived, for others wait for that;
   * or of all, where nothing is under way that what is asked for here could share.
   */
  hurry(extent: Extent): void {
    if (this.#stopped) return;
    const begun = this.#soon !== null;
    if (this.#soon !== 'all') this.#soon = extent;
    if (begun) return;
    this.#clock.soon(() => {
      const extent = this.#soon ?? 'arrived';
      this.#soon = null;
      this.#take(extent);
    });
  }

  /** A step that takes all, once the loop has come round: what comes until then goes with it. */
  schedule(): void {
    if (this.#scheduled || this.#soon === 'all' || this.#stopped) return;
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
