/** Virtual time: what happens when, in an order that the seed alone decides. */
export class World {
  #now = 0;
  #sequence = 0;
  readonly #heap: { readonly at: number; readonly sequence: number; readonly run: () => void }[] =
    [];
  #steps = 0;
  #failure: string | null = null;

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** How many events have happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Lets `run` happen after `delay` milliseconds. */
  after(delay: number, run: () => void): void {
    this.#sequence += 1;
    const heap = this.#heap;
    heap.push({ at: this.#now + delay, sequence: this.#sequence, run });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** A promise that is kept after `delay` milliseconds. */
  pause(delay: number): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve));
  }

  /** Lets everything happen that is due before `end`, until something throws or `fail` is called. */
  async runUntil(end: number): Promise<void> {
    while (this.failure === null) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) break;
      this.#pop();
      this.#now = next.at;
      this.#steps += 1;
      try {
        next.run();
      } catch (error) {
        this.fail(error);
      }
      await settle();
    }
    if (this.failure === null) this.#now = end;
  }

  /** Ends the run. An assertion of the program itself is a finding like any other. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error.message : String(error);
  }

  /** Why the run ended early, if it did. */
  get failure(): string | null {
    return this.#failure;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const right = left + 1;
      let least = parent;
      if (left < heap.length && this.#isBefore(left, least)) least = left;
      if (right < heap.length && this.#isBefore(right, least)) least = right;
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return false;
    return one.at < other.at || (one.at === other.at && one.sequence < other.sequence);
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}

/** The longest chain of promises between an event and what it leads to. */
const promiseChain = 12;

async function settle(): Promise<void> {
  for (let i = 0; i < promiseChain; i += 1) await null;
}
