import { assert } from '../../../base/assert.ts';
import { pageLength } from './layout.ts';

/**
 * A page of memory that somebody else reads and writes at the same time, and may write anything to.
 * Every offset is within the page.
 */
export interface RingPage {
  /**
   * Reads the word at `offset`, unsigned. It is an acquire load: what is copied out afterwards is at
   * least as new as what the other side had written when it stored the word that is returned.
   */
  load(offset: number): number;
  /**
   * Writes the word at `offset`. It is a release store: whoever loads it sees everything that was
   * copied in before, and everything that was copied out before has been read.
   */
  store(offset: number, value: number): void;
  /** Copies bytes of the page out, each once; they may be torn, and change afterwards. */
  copyOut(offset: number, target: Uint8Array): void;
  /** Copies bytes into the page. */
  copyIn(offset: number, source: Uint8Array): void;
}

/**
 * A page that is mapped into this process, or any 4096 bytes of memory. `Atomics` are sequentially
 * consistent, which is more than acquire and release, and neither the engine nor the processor moves
 * plain accesses across them. The host is little-endian, as every host of Xen is.
 */
export class MemoryPage implements RingPage {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /** `byteOffset` is a multiple of 4, with a page's length behind it. */
  constructor(buffer: ArrayBufferLike, byteOffset = 0) {
    assert(buffer.byteLength - byteOffset >= pageLength, 'a ring page has 4096 bytes');
    this.#words = new Int32Array(buffer, byteOffset, pageLength / 4);
    this.#bytes = new Uint8Array(buffer, byteOffset, pageLength);
  }

  load(offset: number): number {
    return Atomics.load(this.#words, offset >>> 2) >>> 0;
  }

  store(offset: number, value: number): void {
    Atomics.store(this.#words, offset >>> 2, value | 0);
  }

  copyOut(offset: number, target: Uint8Array): void {
    target.set(this.#bytes.subarray(offset, offset + target.length));
  }

  copyIn(offset: number, source: Uint8Array): void {
    this.#bytes.set(source, offset);
  }
}
