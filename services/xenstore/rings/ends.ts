import { type Queue, ringLength } from './layout.ts';
import type { RingPage } from './page.ts';

/** The sum of an index and a length. */
export function advance(index: number, length: number): number {
  return (index + length) >>> 0;
}

/** How far `to` is behind `from`, modulo 2^32. */
export function distance(from: number, to: number): number {
  return (to - from) >>> 0;
}

/**
 * Cuts `length` bytes of the stream that begin at `index` into the one or two pieces that they are in
 * the buffer. `length` is at most that of the buffer.
 */
function pieces(index: number, length: number): { readonly at: number; readonly first: number } {
  const at = index % ringLength;
  return { at, first: Math.min(length, ringLength - at) };
}

/**
 * The consuming end of a buffer. How far it has read is kept here, never read back from the page: what
 * the other side writes there can make no byte be read twice.
 */
export class RingReader {
  readonly #page: RingPage;
  readonly #queue: Queue;
  #cursor: number;

  /** Begins at an index, which is that of the page where nothing else is known. */
  constructor(page: RingPage, queue: Queue, cursor: number = page.load(queue.consumer)) {
    this.#page = page;
    this.#queue = queue;
    this.#cursor = cursor;
  }

  /** The index of the next byte. */
  get cursor(): number {
    return this.#cursor;
  }

  /** How many bytes can be read; null where the indexes of the page cannot be (XSA-38). */
  available(): number | null {
    if (this.#page.load(this.#queue.consumer) !== this.#cursor) return null;
    const length = distance(this.#cursor, this.#page.load(this.#queue.producer));
    return length > ringLength ? null : length;
  }

  /** Copies the next bytes out, as many as `target` has, of those that are available. */
  read(target: Uint8Array): void {
    const { at, first } = pieces(this.#cursor, target.length);
    this.#page.copyOut(this.#queue.data + at, target.subarray(0, first));
    if (first < target.length) this.#page.copyOut(this.#queue.data, target.subarray(first));
    this.#cursor = advance(this.#cursor, target.length);
  }

  /** Lets the other side overwrite what was read. */
  commit(): void {
    this.#page.store(this.#queue.consumer, this.#cursor);
  }
}

/** The producing end of a buffer; how far it has written is kept here. */
export class RingWriter {
  readonly #page: RingPage;
  readonly #queue: Queue;
  #cursor: number;

  /** Begins at an index, which is that of the page where nothing else is known. */
  constructor(page: RingPage, queue: Queue, cursor: number = page.load(queue.producer)) {
    this.#page = page;
    this.#queue = queue;
    this.#cursor = cursor;
  }

  /** The index of the next byte. */
  get cursor(): number {
    return this.#cursor;
  }

  /** How many bytes there is room for; null where the indexes of the page cannot be (XSA-38). */
  room(): number | null {
    if (this.#page.load(this.#queue.producer) !== this.#cursor) return null;
    const unread = distance(this.#page.load(this.#queue.consumer), this.#cursor);
    return unread > ringLength ? null : ringLength - unread;
  }

  /** Copies bytes in, of which there are no more than there is room for. */
  write(source: Uint8Array): void {
    const { at, first } = pieces(this.#cursor, source.length);
    this.#page.copyIn(this.#queue.data + at, source.subarray(0, first));
    if (first < source.length) this.#page.copyIn(this.#queue.data, source.subarray(first));
    this.#cursor = advance(this.#cursor, source.length);
  }

  /** Shows the other side what was written. */
  commit(): void {
    this.#page.store(this.#queue.producer, this.#cursor);
  }
}
