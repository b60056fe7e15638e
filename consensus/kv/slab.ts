/** Size of a piece of memory that is shared, in bytes. */
const chunkBytes = 64 * 2 ** 10;

/** What is larger than this has a piece of its own. */
const sharedBytesMax = chunkBytes / 4;

/**
 * Memory for buffers that are kept together and let go together, in order. Node's own pool hands out
 * what lives long and what is gone at once side by side, and one buffer keeps 8 KiB of the pool: the
 * commands in a leader's log held four times their size.
 */
export class Slab {
  #chunk = Buffer.alloc(0);
  #used = 0;

  /** A buffer whose content is arbitrary. */
  readonly take = (size: number): Buffer => {
    if (size > sharedBytesMax) return Buffer.allocUnsafeSlow(size);
    if (size > this.#chunk.length - this.#used) {
      this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
      this.#used = 0;
    }
    this.#used += size;
    return this.#chunk.subarray(this.#used - size, this.#used);
  };
}
