/**
 * The states that a search has been in, each with the set of operations that led there. Sets are
 * compared as a whole; their hash only finds them.
 */
export class Visited {
  readonly #words: Uint32Array;
  readonly #sets = new Map<string, Uint32Array[]>();
  #hash = 0;

  /** For sets of operations 0 to `operations` - 1; the first set is empty. */
  constructor(operations: number) {
    this.#words = new Uint32Array(Math.ceil(operations / 32));
  }

  /** Adds an operation to the set, unless the state was entered with that set before. */
  enter(operation: number, state: string): boolean {
    this.#toggle(operation);
    const name = `${this.#hash} ${state}`;
    const sets = this.#sets.get(name) ?? [];
    if (sets.some((set) => set.every((word, at) => word === this.#words[at]))) {
      this.#toggle(operation);
      return false;
    }
    sets.push(this.#words.slice());
    this.#sets.set(name, sets);
    return true;
  }

  /** Takes an operation out of the set. */
  leave(operation: number): void {
    this.#toggle(operation);
  }

  #toggle(operation: number): void {
    const at = operation >>> 5;
    this.#words[at] = (this.#words[at] ?? 0) ^ (1 << (operation & 31));
    this.#hash ^= scramble(operation + 1);
  }
}

/** Spreads small numbers over 32 bits: the finalizer of MurmurHash3 (Austin Appleby). */
function scramble(number: number): number {
  let bits = number;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
