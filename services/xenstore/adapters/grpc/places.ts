/** How many of something there may be at once, of all callers together, and of each. */
export class Places {
  readonly #max: number;
  readonly #ofCallerMax: number;
  readonly #taken = new Map<string | null, number>();
  #size = 0;

  constructor(max: number, ofCallerMax: number) {
    this.#max = max;
    this.#ofCallerMax = ofCallerMax;
  }

  /** How many are taken. */
  get size(): number {
    return this.#size;
  }

  /** Takes one for a caller, if there is one left for it. */
  take(caller: string | null): boolean {
    const own = this.#taken.get(caller) ?? 0;
    if (this.#size >= this.#max || own >= this.#ofCallerMax) return false;
    this.#taken.set(caller, own + 1);
    this.#size += 1;
    return true;
  }

  /** Gives back one that was taken. */
  leave(caller: string | null): void {
    const left = (this.#taken.get(caller) ?? 1) - 1;
    if (left === 0) this.#taken.delete(caller);
    else this.#taken.set(caller, left);
    this.#size -= 1;
  }
}
