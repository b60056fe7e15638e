/** Reads decisions from bytes, so that whoever changes a byte changes one decision. */
export class BytesSource {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next byte; 0 once there is none. */
  byte(): number {
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  word(): number {
    return this.byte() + this.byte() * 0x100 + this.byte() * 0x10000 + this.byte() * 0x1000000;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.byte() % items.length] ?? items[0];
  }

  /** As many of the next bytes as there are, up to `length`. */
  take(length: number): Uint8Array {
    const taken = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
}
