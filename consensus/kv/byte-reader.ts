import { type ByteString, emptyBytes } from './byte-string.ts';

/**
 * Reads what a `ByteWriter` wrote. Bytes that end too early, or a number that is too large, make
 * the reader `failed`; from then on every read returns nothing (zero, empty), so that a caller
 * checks once, at the end. A count must be read by `count`, which bounds it by the bytes left.
 */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Whether everything was read, and nothing failed. */
  get isAtEnd(): boolean {
    return !this.#failed && this.#at === this.#buffer.length;
  }

  fail(): void {
    this.#failed = true;
  }

  u8(): number {
    return this.#take(1) ? (this.#buffer[this.#at - 1] as number) : 0;
  }

  u32(): number {
    return this.#take(4) ? this.#buffer.readUInt32LE(this.#at - 4) : 0;
  }

  i64(): bigint {
    return this.#take(8) ? this.#buffer.readBigInt64LE(this.#at - 8) : 0n;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (Number.isSafeInteger(value)) return value;
        break;
      }
    }
    this.#failed = true;
    return 0;
  }

  /** A number of things that follow, of which each takes at least one byte. */
  count(): number {
    const count = this.varint();
    if (count <= this.#buffer.length - this.#at) return count;
    this.#failed = true;
    return 0;
  }

  bytes(): ByteString {
    const length = this.varint();
    if (!this.#take(length)) return emptyBytes;
    return this.#buffer.toString('latin1', this.#at - length, this.#at) as ByteString;
  }

  #take(length: number): boolean {
    if (this.#failed || length > this.#buffer.length - this.#at) {
      this.#failed = true;
      return false;
    }
    this.#at += length;
    return true;
  }
}
