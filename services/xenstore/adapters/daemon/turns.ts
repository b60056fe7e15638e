import type { Input } from '../../core/input.ts';

/**
 * One thing at a time. What comes of one input is all done before the next one, so that the journal has
 * them in the order in which they count.
 */
export class Turns {
  readonly #carryOut: (input: Input) => void;
  /** What came while another was carried out. */
  readonly #late: (() => void)[] = [];
  readonly #inputs: Input[] = [];
  #busy = false;

  /** `carryOut` tells an input to the store, and does what it wants done. */
  constructor(carryOut: (input: Input) => void) {
    this.#carryOut = carryOut;
  }

  /** Whether an input is being carried out. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Whether nothing is being carried out, and nothing waits for that. */
  get free(): boolean {
    return !this.#busy && this.#late.length === 0;
  }

  /** Does it now, or, where something is being carried out, soon after. */
  whenFree(work: () => void): void {
    if (this.free) {
      work();
      return;
    }
    if (this.#late.length === 0)
      queueMicrotask(() => {
        // The one that is at work stays in the queue, so that what it brings about comes behind it.
        for (let next = this.#late[0]; next !== undefined; next = this.#late[0]) {
          next();
          this.#late.shift();
        }
      });
    this.#late.push(work);
  }

  /** Takes an input; one that comes of its outputs is taken when all of them are done. */
  take(input: Input): void {
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift())
      this.#carryOut(next);
    this.#busy = false;
  }
}
